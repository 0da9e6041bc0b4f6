/** Several runs at once on one data directory share the record, the quota and the workers. */
import { expect, test } from 'vitest';
import { casesFor, describeHomes, isThorough } from '../homes/homes.ts';
import { chatLine, customIdsOf, ids, readFinalLines } from './lines.ts';
import { callCount, fixed, provider, refill, refusals, rolling, until } from './providers.ts';
import { requireExit } from './command.ts';
import { setStage } from './stage.ts';

const sharedTiers = () => [
  provider('rolls', { limits: [rolling('requests', 40, 1_000)], concurrency: 6 }),
  provider('refills', { dialect: 'groq', limits: [refill('requests', 40, 1_000)], concurrency: 6 }),
  provider('fixes', { limits: [fixed('requests', 40, 1_000)], concurrency: 6 }),
];

const BEGINNINGS = [
  { when: 'started in the same moment', waits: false },
  { when: 'started one after the other', waits: true },
];

describeHomes((home) => {
  test('Two runs of different inputs over the same lanes both finish, and no limit is exceeded', async () => {
    await using stage = await setStage({ home, tiers: sharedTiers() });
    const start = async (prefix: string) => {
      const input = await stage.write(
        `${prefix}.jsonl`,
        ids(200, prefix).map((name) => chatLine(name)),
      );
      return stage.start(['run', input, '--out', stage.path(`${prefix}.out.jsonl`)]);
    };

    const [left, right] = await Promise.all([start('left-'), start('right-')]);
    const ends = await Promise.all([left.ended, right.ended]);

    for (const ended of ends) requireExit(ended, 0);
    for (const prefix of ['left-', 'right-']) {
      expect(customIdsOf(await readFinalLines(stage.path(`${prefix}.out.jsonl`)))).toEqual(ids(200, prefix));
    }
    expect(refusals(stage.simulator)).toBe(0);
    expect(callCount(stage.simulator)).toBe(400);
  });

  test.each(casesFor(home, BEGINNINGS, ({ waits }) => !waits))(
    'Two runs of the same input, $when, call each line once and both succeed',
    async ({ waits }) => {
      await using stage = await setStage({ home, tiers: sharedTiers() });
      const names = ids(300);
      const input = await stage.write(
        'in.jsonl',
        names.map((name) => chatLine(name)),
      );
      const args = (output: string) => ['run', input, '--out', stage.path(output)];

      const first = stage.start(args('out.jsonl'));
      if (waits) await until('ten calls', () => callCount(stage.simulator) >= 10);
      const second = stage.start(args('out.jsonl'));
      const ends = await Promise.all([first.ended, second.ended]);

      for (const ended of ends) requireExit(ended, 0);
      expect(customIdsOf(await readFinalLines(stage.path('out.jsonl')))).toEqual(names);
      // First, because a refused call is made again.
      expect(refusals(stage.simulator)).toBe(0);
      expect(callCount(stage.simulator)).toBe(names.length);
    },
  );

  test.runIf(isThorough(home))(
    'Two runs of the same input that are both still reading it become one batch',
    async () => {
      await using stage = await setStage({
        home,
        tiers: [provider('wide', { contextTokens: 200_000, latencyMs: 50 })],
      });
      const names = ids(150);
      // Long enough to be read for a while.
      const filler = 'All work and no play. '.repeat(10_000);
      const input = await stage.write(
        'in.jsonl',
        names.map((name) => chatLine(name, { content: `${name}: ${filler}` })),
      );
      const args = ['run', input, '--out', stage.path('out.jsonl')];

      const runs = [stage.start(args), stage.start(args)];
      const ends = await Promise.all(runs.map((run) => run.ended));

      for (const ended of ends) requireExit(ended, 0);
      expect(customIdsOf(await readFinalLines(stage.path('out.jsonl')))).toEqual(names);
      expect(callCount(stage.simulator)).toBe(names.length);
    },
  );

  test('When one of two runs of the same input is killed, the other does its work', async () => {
    await using stage = await setStage({
      home,
      tiers: [provider('only', { latencyMs: 200, concurrency: 8 })],
    });
    const names = ids(200);
    const input = await stage.write(
      'in.jsonl',
      names.map((name) => chatLine(name)),
    );
    const args = ['run', input, '--out', stage.path('out.jsonl')];
    const first = stage.start(args);
    await until('ten calls', () => callCount(stage.simulator) >= 10);
    const second = stage.start(args);
    await until('a second worker', () => callCount(stage.simulator) >= 80);

    first.kill('SIGKILL');
    const { code, stderr } = await second.ended;

    requireExit({ code, stderr }, 0);
    expect(customIdsOf(await readFinalLines(stage.path('out.jsonl')))).toEqual(names);
    expect(callCount(stage.simulator)).toBeLessThanOrEqual(names.length + 8);
  });
});
