/**
 * Eight processes on one lane use its limit to the full, and never more: the provider refuses nothing.
 *
 * Each kind of window is one; hours and weeks of a fixed length are the same kinds, only longer. Calendar days, weeks
 * and months cannot be shortened: they are in midnight.test.ts, on a clock of its own.
 *
 * `NIGHTSHIFT_LONG=1` takes 20 windows of every kind, and of tokens and units too, and prints the share of each.
 */
import { expect, test } from 'vitest';
import type { SimulatedLimit } from '../../src/simulator/tier.ts';
import { describeHomes, type HomeName } from '../homes/homes.ts';
import { startCrowd, stopCrowd, WEIGHED_LINE } from './crowd.ts';
import {
  callCount,
  fixed,
  isRefused,
  MODEL,
  provider,
  refill,
  refusals,
  rolling,
  session,
  until,
} from './providers.ts';
import { type Command, requireExit } from './command.ts';
import { shareUsed } from './share-used.ts';
import { setStage, type Stage } from './stage.ts';

const IS_LONG = process.env['NIGHTSHIFT_LONG'] === '1';
const WINDOWS = IS_LONG ? 20 : 2;
/**
 * The safety margin is 2 % of it, and what a busy machine may delay a call by must stay below that; the way from a
 * grant to its call, some 10 ms on an idle machine, is lost once per rolling window.
 */
const PER_MS = Number(process.env['NIGHTSHIFT_WINDOW_MS'] ?? 5_000);
const PROCESSES = 8;
const WARM_LINES = 25;
/** What the long run must reach; a short one shares the machine with other tests. */
const LEAST_SHARE = IS_LONG ? 0.97 : 0.9;
/** What a call holds beyond what it turns out to take is free when it is answered: late, where a window ends. */
const LEAST_WEIGHED_SHARE = 0.95;

/** Of these a window holds a hundred calls of weighed lines; units are as Cloudflare has them, 1.6 a call. */
const TOKENS = 10_000;
const UNITS = 160;
const UNIT_COST = { input: 4.119, output: 34.868 };

interface Case {
  readonly limit: SimulatedLimit;
  /** Roughly, to know how many lines it takes. */
  readonly callsPerWindow: number;
}

const REQUESTS = 60;
const requestCases: readonly Case[] = (IS_LONG ? [rolling, refill, fixed, session] : [rolling, session]).map(
  (limited) => ({
    limit: limited('requests', REQUESTS, PER_MS),
    callsPerWindow: REQUESTS,
  }),
);

/** Amounts that are settled below what was held: the same windows, and harder to fill. */
const weighedCases: readonly Case[] = [
  { limit: rolling('tokens', TOKENS, PER_MS), callsPerWindow: 100 },
  { limit: refill('tokens', TOKENS, PER_MS), callsPerWindow: 100 },
  { limit: fixed('units', UNITS, PER_MS), callsPerWindow: 100 },
  { limit: session('units', UNITS, PER_MS), callsPerWindow: 100 },
];

/** Quota is counted in PostgreSQL on every home: in a quick run each shows one kind; one home shows weights. */
const casesOn = (home: HomeName): readonly Case[] => {
  if (IS_LONG) return home === 'embedded' ? [...requestCases, ...weighedCases] : requestCases;
  const shown = home === 'embedded' ? 'session' : 'rolling';
  return requestCases.filter(({ limit }) => limit.window.kind === shown);
};

const nameOf = ({ limit: { metric, window } }: Case): string => `${window.kind} limit of ${metric}`;

/**
 * Starts the processes at a lane that is paused, and lets it go when all of them serve it and have made calls on
 * another: eight that start at once on two cores delay their first calls by more than any margin, which is no matter
 * of quota.
 */
const startTogether = async (stage: Stage, { callsPerWindow }: Case): Promise<readonly Command[]> => {
  const lane = `only/${MODEL}`;
  requireExit(await stage.run(['pause', '--lane', lane]), 0);
  const runs = await startCrowd(stage, {
    processes: PROCESSES,
    linesEach: callsPerWindow * (WINDOWS + 5),
    warmUp: { model: `warm/${MODEL}`, linesEach: WARM_LINES },
    ...WEIGHED_LINE,
    model: lane,
  });
  const serving = `SELECT count(*)::integer FROM worker_lane WHERE lane_id = '${lane}'`;
  await until('all to serve the lane', async () => (await stage.ask(serving)) === PROCESSES, 60_000);
  await until('all to be warm', () => callCount(stage.simulator) >= PROCESSES * WARM_LINES, 60_000);
  requireExit(await stage.run(['resume', '--lane', lane]), 0);
  return runs;
};

const usedSoFar = (stage: Stage): number =>
  stage.simulator.stats().providers['only']?.models[MODEL]?.limits[0]?.used ?? 0;

describeHomes((home) => {
  test.each(casesOn(home).map((each) => [nameOf(each), each] as const))(
    `Eight processes on one lane with a %s use it to the full over ${WINDOWS} windows, without a refusal`,
    { timeout: 600_000 },
    async (name, each) => {
      const { limit } = each;
      const cost = limit.metric === 'units' ? { unitCost: UNIT_COST } : {};
      const tier = provider('only', { limits: [limit], latencyMs: 20, ...cost });
      await using stage = await setStage({ home, tiers: [tier, provider('warm')] });
      const runs = await startTogether(stage, each);
      await until(
        'the last window',
        () => usedSoFar(stage) >= limit.amount * (WINDOWS + 2),
        PER_MS * (WINDOWS + 4) * 1.5,
      );
      const calls = stage.simulator.calls().filter((call) => call.provider === 'only' && !isRefused(call));
      await stopCrowd(runs);

      const share = shareUsed(calls, limit, UNIT_COST);
      console.log(
        `${name}, windows of ${PER_MS} ms: ${(share * 100).toFixed(2)} % used, ${refusals(stage.simulator)} refused`,
      );
      expect(refusals(stage.simulator)).toBe(0);
      expect(share).toBeGreaterThanOrEqual(limit.metric === 'requests' ? LEAST_SHARE : LEAST_WEIGHED_SHARE);
      expect(share).toBeLessThanOrEqual(1.005);
    },
  );
});
