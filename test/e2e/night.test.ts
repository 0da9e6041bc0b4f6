/** A whole night, from the input file to the output file. */
import { existsSync, statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { describeHomes } from '../homes/homes.ts';
import { chatLine, customIdsOf, ids, readFinalLines } from './lines.ts';
import { daily, fixed, provider, refill, refusals, rolling } from './providers.ts';
import { type Command, requireExit } from './command.ts';
import { setStage } from './stage.ts';

/** Looks at the output and its partial file until the command has ended. */
const watchOutput = async (command: Command, output: string) => {
  const seen = { partialSizes: new Set<number>(), timesBoth: 0 };
  const ended = command.ended.then(() => 'ended');
  while ((await Promise.race([ended, delay(50, 'running')])) === 'running') {
    const partial = statSync(`${output}.partial`, { throwIfNoEntry: false });
    if (partial === undefined) continue;
    seen.partialSizes.add(partial.size);
    if (existsSync(output)) seen.timesBoth += 1;
  }
  return seen;
};

describeHomes((home) => {
  test('2,000 lines over tiers of every window kind end as 2,000 final lines in input order, and no call is refused', async () => {
    await using stage = await setStage({
      home,
      tiers: [
        provider('rolls', { limits: [rolling('requests', 150, 1_000)] }),
        provider('refills', {
          dialect: 'groq',
          limits: [refill('tokens', 20_000, 1_000), refill('requests', 150, 1_000)],
        }),
        provider('fixes', { dialect: 'mistral', limits: [fixed('requests', 200, 2_000)] }),
        provider('dates', {
          dialect: 'gemini',
          limits: [daily('requests', 300), rolling('inputTokens', 15_000, 1_000)],
        }),
      ],
    });
    const names = ids(2_000);
    const input = await stage.write(
      'in.jsonl',
      names.map((name) => chatLine(name)),
    );
    const output = stage.path('out.jsonl');
    const command = stage.start(['run', input, '--out', output]);
    const seen = await watchOutput(command, output);
    const { code, stderr, durationMs } = await command.ended;

    requireExit({ code, stderr }, 0);
    expect(customIdsOf(await readFinalLines(output))).toEqual(names);
    expect(existsSync(stage.path('out.errors.jsonl'))).toBe(false);
    expect(existsSync(`${output}.partial`)).toBe(false);
    expect(seen.partialSizes.size).toBeGreaterThan(3);
    expect(seen.timesBoth).toBe(0);
    expect(refusals(stage.simulator)).toBe(0);
    expect(stage.simulator.calls()).toHaveLength(names.length);
    console.log(
      `2,000 lines in ${durationMs} ms, start included: ${Math.round(2_000_000 / durationMs)} lines/s`,
    );
  });
});
