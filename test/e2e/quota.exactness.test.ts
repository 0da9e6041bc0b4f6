/** Four processes on one lane use its limit to the full, and never more: the provider refuses nothing. */
import { expect, test } from 'vitest';
import type { CallRecord } from '../../src/simulator/call-log.ts';
import type { SimulatedLimit } from '../../src/simulator/tier.ts';
import { chatLine, ids } from './lines.ts';
import { callCount, fixed, provider, refill, refusals, rolling, until } from './providers.ts';
import { setStage } from './stage.ts';

/** A long run goes through more windows of every kind. */
const IS_LONG = process.env['NIGHTSHIFT_LONG'] === '1';
const WINDOWS = IS_LONG ? 20 : 6;
const PER_MS = IS_LONG ? 3_000 : 2_000;
const AMOUNT = 60;
const PROCESSES = 4;

const KINDS: readonly { readonly kind: string; readonly limit: SimulatedLimit; readonly inQuick: boolean }[] = [
  { kind: 'rolling', limit: rolling('requests', AMOUNT, PER_MS), inQuick: true },
  { kind: 'refill', limit: refill('requests', AMOUNT, PER_MS), inQuick: true },
  { kind: 'fixed', limit: fixed('requests', AMOUNT, PER_MS), inQuick: false },
];

/**
 * How many calls the limit allows between the first and the last of these: the first window's, and what the time
 * between them adds. A fixed window counts from its own start.
 */
const mostCalls = (calls: readonly CallRecord[], { window }: SimulatedLimit): number => {
  const instants = calls.map((call) => call.arrivedAtMs);
  const [firstMs, lastMs] = [Math.min(...instants), Math.max(...instants)];
  if (window.kind !== 'fixed') return AMOUNT * (1 + (lastMs - firstMs) / PER_MS);
  const windowOf = (atMs: number): number => Math.floor((atMs - window.anchorAtMs) / PER_MS);
  return AMOUNT * (windowOf(lastMs) - windowOf(firstMs) + 1);
};

test.each(KINDS.filter(({ inQuick }) => inQuick || IS_LONG))(
  `${PROCESSES} processes on one lane with a $kind limit use at least 97 % of it over ${WINDOWS} windows without a refusal`,
  { timeout: 300_000 },
  async ({ kind, limit }) => {
    await using stage = await setStage({ tiers: [provider('only', { limits: [limit], latencyMs: 20 })] });
    const wanted = AMOUNT * WINDOWS;
    const commands = [];
    for (const prefix of ids(PROCESSES, 'worker-')) {
      // More than it will get: nobody runs out of work before the count is made.
      const input = await stage.write(`${prefix}.jsonl`, ids(wanted, `${prefix}-`).map((name) => chatLine(name)));
      commands.push(stage.start(['run', input, '--out', stage.path(`${prefix}.out.jsonl`)]));
    }
    await until(`${wanted} calls`, () => callCount(stage.simulator) >= wanted + AMOUNT, WINDOWS * PER_MS * 2 + 20_000);
    for (const command of commands) command.kill('SIGINT');
    for (const { code, stderr } of await Promise.all(commands.map((command) => command.ended))) expect(code, stderr).toBe(130);

    // The first window is spent while processes still start; it is not counted.
    const calls = stage.simulator.calls().slice(AMOUNT, AMOUNT + wanted);
    const share = calls.length / mostCalls(calls, limit);
    console.log(`${kind}: ${(share * 100).toFixed(2)} % of the limit, ${refusals(stage.simulator)} refusals`);
    expect(refusals(stage.simulator)).toBe(0);
    expect(share).toBeGreaterThanOrEqual(0.97);
    expect(share).toBeLessThanOrEqual(1);
  },
);
