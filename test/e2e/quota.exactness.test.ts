/**
 * Four processes on one lane use its limit to the full, and never more: the provider refuses nothing.
 *
 * `NIGHTSHIFT_LONG=1` takes 20 windows of every kind and prints the share of each; a calendar day cannot be shortened.
 */
import { expect, test } from 'vitest';
import type { CallRecord } from '../../src/simulator/call-log.ts';
import type { SimulatedLimit } from '../../src/simulator/tier.ts';
import { casesFor, describeHomes, type HomeName } from '../homes/homes.ts';
import { chatLine, ids } from './lines.ts';
import { callCount, fixed, provider, refill, refusals, rolling, until } from './providers.ts';
import { requireExit } from './command.ts';
import { setStage, type Stage } from './stage.ts';

const IS_LONG = process.env['NIGHTSHIFT_LONG'] === '1';
const WINDOWS = IS_LONG ? 20 : 2;
/**
 * The safety margin is 2 % of it, and what a busy machine may delay a call by must stay below that; the way from a
 * grant to its call, some 10 ms on an idle machine, is lost once per rolling window.
 */
const PER_MS = Number(process.env['NIGHTSHIFT_WINDOW_MS'] ?? 5_000);
const AMOUNT = 60;
const PROCESSES = 4;
/** What the long run must reach; a short one shares the machine with other tests. */
const LEAST_SHARE = IS_LONG ? 0.97 : 0.9;

const KINDS: readonly { readonly kind: string; readonly limit: SimulatedLimit; readonly inQuick: boolean }[] =
  [
    { kind: 'rolling', limit: rolling('requests', AMOUNT, PER_MS), inQuick: true },
    { kind: 'refill', limit: refill('requests', AMOUNT, PER_MS), inQuick: true },
    { kind: 'fixed', limit: fixed('requests', AMOUNT, PER_MS), inQuick: false },
  ];

/**
 * The part of the limit that was used. Where windows move, two calls that are `AMOUNT` apart are one window apart if
 * nothing is wasted, and later by what is; fixed windows are counted one by one, without the first and the last.
 */
const shareUsed = (calls: readonly CallRecord[], { window }: SimulatedLimit): number => {
  const instants = calls.map((call) => call.arrivedAtMs).toSorted((a, b) => a - b);
  if (window.kind === 'fixed') {
    const counts = Map.groupBy(instants, (atMs) => Math.floor((atMs - window.anchorAtMs) / PER_MS));
    return mean([...counts.values()].slice(1, -1).map((inWindow) => inWindow.length / AMOUNT));
  }
  // What the first window holds goes while processes still start, and a bucket refills meanwhile.
  const settled = instants.slice(AMOUNT * 2);
  return PER_MS / mean(settled.slice(AMOUNT).map((atMs, index) => atMs - (settled[index] ?? atMs)));
};

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Starts the processes, each with more lines than it will get, so that none runs out of work. */
const startWorkers = async (stage: Stage) =>
  await Promise.all(
    ids(PROCESSES, 'worker-').map(async (worker) => {
      const lines = ids(AMOUNT * (WINDOWS + 5), `${worker}-`).map((name) => chatLine(name));
      const input = await stage.write(`${worker}.jsonl`, lines);
      return stage.start(['run', input, '--out', stage.path(`${worker}.out.jsonl`)]);
    }),
  );

/** Quota is counted in PostgreSQL on every home: in a quick run one kind shows that a home asks for it. */
const kindsOn = (home: HomeName) =>
  IS_LONG
    ? KINDS
    : casesFor(
        home,
        KINDS.filter(({ inQuick }) => inQuick),
        ({ kind }) => kind === 'rolling',
      );

describeHomes((home) => {
  test.each(kindsOn(home))(
    `Four processes on one lane with a $kind limit use it to the full over ${WINDOWS} windows, without a refusal`,
    { timeout: 600_000 },
    async ({ kind, limit }) => {
      await using stage = await setStage({
        home,
        tiers: [provider('only', { limits: [limit], latencyMs: 20 })],
      });
      const commands = await startWorkers(stage);
      const wanted = AMOUNT * (WINDOWS + 2);
      await until(
        'the last window',
        () => callCount(stage.simulator) >= wanted,
        PER_MS * (WINDOWS + 3) * 1.5,
      );
      for (const command of commands) command.kill('SIGINT');
      const ends = await Promise.all(commands.map(({ ended }) => ended));
      for (const end of ends) requireExit(end, 130);

      const share = shareUsed(stage.simulator.calls().slice(0, wanted), limit);
      console.log(
        `${kind}, windows of ${PER_MS} ms: ${(share * 100).toFixed(2)} % used, ${refusals(stage.simulator)} refused`,
      );
      expect(refusals(stage.simulator)).toBe(0);
      expect(share).toBeGreaterThanOrEqual(LEAST_SHARE);
      expect(share).toBeLessThanOrEqual(1.005);
    },
  );
});
