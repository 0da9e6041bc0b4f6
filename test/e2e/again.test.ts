/** The same run again, with or without changes: what it knows it does not ask for twice. */
import { readFile, rm } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { describeHomes, isThorough } from '../homes/homes.ts';
import { onCommonGround } from './ground.ts';
import { chatLine, customIdsOf, ids, readFinalLines } from './lines.ts';
import { callCount, MODEL, provider, until } from './providers.ts';
import { requireExit } from './command.ts';
import { setStage, type Stage } from './stage.ts';

const linesOf = (prefix: string, count = 20): readonly string[] =>
  ids(count, prefix).map((name) => chatLine(name));

describeHomes((home) => {
  let stage: Stage;

  onCommonGround(async (ground) => {
    stage = ground.use(
      await setStage({
        home,
        tiers: [provider('one'), provider('slow', { latencyMs: 500, concurrency: 2 })],
        pools: { quick: [`one/${MODEL}`], slow: [`slow/${MODEL}`] },
      }),
    );
  });

  /** Runs to exit 0 and returns the number of calls it took. */
  const callsOf = async (args: readonly string[], standardInput = ''): Promise<number> => {
    const before = callCount(stage.simulator);
    const { code, stderr } = await stage.run(args, { standardInput });
    requireExit({ code, stderr }, 0);
    return callCount(stage.simulator) - before;
  };

  test('The same run again writes the same output without a call, also where it was deleted', async () => {
    const input = await stage.write('same.jsonl', linesOf('same-'));
    const output = stage.path('same.out.jsonl');
    const args = ['run', input, '--out', output, '--pool', 'quick'];
    expect(await callsOf(args)).toBe(20);
    const first = await readFile(output);

    expect(await callsOf(args)).toBe(0);
    expect(await readFile(output)).toEqual(first);
    await rm(output);
    expect(await callsOf(args)).toBe(0);
    expect(await readFile(output)).toEqual(first);
  });

  test.runIf(isThorough(home))('--fresh asks for every line again', async () => {
    const input = await stage.write('fresh.jsonl', linesOf('fresh-'));
    const args = ['run', input, '--out', stage.path('fresh.out.jsonl'), '--pool', 'quick'];
    expect(await callsOf(args)).toBe(20);

    expect(await callsOf([...args, '--fresh'])).toBe(20);
    expect(await callsOf(args)).toBe(0);
  });

  test.runIf(isThorough(home))('Another task or pool makes another batch of the same file', async () => {
    const documents = ids(5).map((id) =>
      JSON.stringify({ id, text: `The text of ${id}. It is short. It says little.` }),
    );
    const input = await stage.write('documents.jsonl', documents);
    const prompt = await stage.write('prompt.txt', ['Translate: {{text}}']);
    const args = ['run', input, '--out', stage.path('documents.out.jsonl')];

    expect(await callsOf([...args, '--task', 'summarize', '--pool', 'quick'])).toBe(5);
    expect(await callsOf([...args, '--prompt', prompt, '--pool', 'quick'])).toBe(5);
    expect(await callsOf([...args, '--task', 'summarize', '--pool', 'small'])).toBe(5);
    expect(await callsOf([...args, '--task', 'summarize', '--pool', 'quick'])).toBe(0);
  });

  test.runIf(isThorough(home))(
    'An input that changed while its output is unfinished is refused, and --fresh gives the old one up',
    async () => {
      const output = stage.path('changed.out.jsonl');
      const first = await stage.write('changed.jsonl', linesOf('first-', 40));
      const args = ['run', first, '--out', output, '--pool', 'slow'];
      const interrupted = stage.start(args);
      await until('a call', () => stage.simulator.stats().providers['slow']?.inFlight !== 0);
      interrupted.kill('SIGINT');
      expect((await interrupted.ended).code).toBe(130);
      await stage.write('changed.jsonl', linesOf('second-', 4));

      const refused = await stage.run(args);
      expect(refused.code).toBe(1);
      expect(refused.stderr).toContain('--fresh');
      await callsOf([...args, '--fresh']);

      expect(customIdsOf(await readFinalLines(output))).toEqual(ids(4, 'second-'));
      expect(await stage.ask("SELECT count(*) FROM request WHERE custom_id LIKE 'first-%'")).toBe(0);
    },
  );

  test.runIf(isThorough(home))(
    'A gzipped file and standard input give the same lines as a plain file',
    async () => {
      const lines = linesOf('packed-');
      const text = lines.map((line) => `${line}\n`).join('');
      const packed = await stage.write('packed.jsonl.gz', gzipSync(text));

      expect(await callsOf(['run', packed, '--out', stage.path('packed.out.jsonl'), '--pool', 'quick'])).toBe(
        20,
      );
      const piped = [
        'run',
        '-',
        '--name',
        'piped',
        '--out',
        stage.path('piped.out.jsonl'),
        '--pool',
        'quick',
      ];
      expect(await callsOf(piped, text)).toBe(20);
      expect(await callsOf(piped, text)).toBe(0);

      const names = ids(20, 'packed-');
      expect(customIdsOf(await readFinalLines(stage.path('packed.out.jsonl')))).toEqual(names);
      expect(customIdsOf(await readFinalLines(stage.path('piped.out.jsonl')))).toEqual(names);
    },
  );

  test.runIf(isThorough(home))(
    'A gzipped file that breaks off is refused and leaves nothing behind',
    async () => {
      const whole = gzipSync(linesOf('torn-', 2_000).join('\n'));
      const torn = await stage.write('torn.jsonl.gz', whole.subarray(0, whole.length / 2));

      const { code, stderr } = await stage.run(['run', torn, '--out', stage.path('torn.out.jsonl')]);

      expect(code).toBe(1);
      expect(stderr).toMatch(/whole gzip file/u);
      expect(await stage.ask("SELECT count(*) FROM request WHERE custom_id LIKE 'torn-%'")).toBe(0);
    },
  );
});
