/**
 * No pool row ever holds a lane that its batch's policy or its budget rules out, whatever is done to the batch and by whom: random
 * providers, policies and sequences, on a real record.
 */
import fc from 'fast-check';
import type pg from 'pg';
import { expect, test } from 'vitest';
import { postgresBatchStore } from '../../../src/adapters/postgres/batch-store.ts';
import type { BatchStore } from '../../../src/app/batch-store.ts';
import type { Routing } from '../../../src/app/ports.ts';
import { ANY_TERMS } from '../../../src/core/batch-terms.ts';
import type { Pool, Price, Provider, Tier } from '../../../src/core/model.ts';
import { type Policy, policyOf } from '../../../src/core/policy.ts';
import { aLane, aProvider, eachOf, routingFor } from '../../app/fakes.ts';
import { openTestRecord } from '../../postgres-fixture.ts';

const PROVIDER_IDS = ['alpha', 'beta', 'gamma', 'delta'];
const LANE_IDS = PROVIDER_IDS.flatMap((id) => [`${id}/one`, `${id}/two`]);
const POOL_NAMES = ['small', 'large', 'other'];

const someRegions = fc.uniqueArray(fc.constantFrom('EU', 'CH', 'US'), { maxLength: 2 });
const someNames = fc.uniqueArray(fc.constantFrom(...PROVIDER_IDS, ...LANE_IDS), { maxLength: 3 });

const PRICE: Price = {
  inputNanoDollarsPerMillion: 1,
  outputNanoDollarsPerMillion: 2,
  requestNanoDollars: 0,
};

const someProvider = (id: string): fc.Arbitrary<Provider> =>
  fc
    .record({
      tier: fc.constantFrom<Tier>('free', 'trial', 'paid', 'local'),
      trainsOnData: fc.constantFrom(true, false, null),
      regions: someRegions,
    })
    .map((facts) => aProvider([aLane(`${id}/one`, { price: PRICE }), aLane(`${id}/two`)], facts));

const someProviders = fc.tuple(...PROVIDER_IDS.map(someProvider));

const somePools: fc.Arbitrary<readonly Pool[]> = fc.tuple(
  ...POOL_NAMES.map((name) =>
    fc.shuffledSubarray(LANE_IDS, { minLength: 1 }).map((laneIds) => ({ name, laneIds })),
  ),
);

const somePolicy = fc.record({
  forbidsTraining: fc.boolean(),
  regions: someRegions,
  maxCostNanoDollars: fc.constantFrom(null, 1_000),
  only: fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: someNames }),
  except: someNames,
});

/** A process knows the providers that it has keys for, and has pools of its own. */
interface Process {
  readonly on: readonly string[];
  readonly pools: readonly Pool[];
}

const someProcess: fc.Arbitrary<Process> = fc.record({
  on: fc.subarray(PROVIDER_IDS, { minLength: 1 }),
  pools: somePools,
});

type Step =
  | { readonly kind: 'adopt' | 'add'; readonly by: Process }
  | { readonly kind: 'retry'; readonly by: Process; readonly pool: string | null };

const someStep: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constantFrom('adopt' as const, 'add' as const), by: someProcess }),
  fc.record({
    kind: fc.constant('retry' as const),
    by: someProcess,
    pool: fc.constantFrom(null, ...POOL_NAMES),
  }),
);

const routingOf = (providers: readonly Provider[], { on, pools }: Process): Routing =>
  routingFor(
    providers.filter(({ id }) => on.includes(id)),
    pools,
  );

type Rules = Policy & { readonly maxCostNanoDollars: number | null };

/** The rule in its own words, so that it does not judge itself. */
const ruledOut = (providers: readonly Provider[], policy: Rules): readonly string[] =>
  providers.flatMap(({ id, tier, trainsOnData, regions = [], lanes }) => {
    const mayTrain =
      policy.forbidsTraining && (trainsOnData === true || (trainsOnData === null && tier !== 'local'));
    const isElsewhere =
      policy.regions.length > 0 &&
      tier !== 'local' &&
      (regions.length === 0 || regions.some((region) => !policy.regions.includes(region)));
    return lanes
      .filter(({ id: laneId, price }) => {
        const isUnpaid = tier === 'paid' && (policy.maxCostNanoDollars === null || price === undefined);
        const isExcepted = policy.except.includes(id) || policy.except.includes(laneId);
        const isUnnamed =
          policy.only.length > 0 && !policy.only.includes(id) && !policy.only.includes(laneId);
        return mayTrain || isElsewhere || isExcepted || isUnnamed || isUnpaid;
      })
      .map((lane) => lane.id);
  });

let batches = 0;

/** Takes one line for each of the pools in. */
const ingest = async (store: BatchStore, asked: Rules, routing: Routing): Promise<number> => {
  batches += 1;
  const identity = `batch ${batches}`;
  const rows = POOL_NAMES.slice(0, 2).map((poolName, index) => ({
    lineNumber: index + 1,
    customId: poolName,
    line: '{}',
    poolName,
    promptTokens: 10,
    mostPromptTokens: 100,
    outputTokens: 10,
    outputIsAsked: false,
    state: 'pending' as const,
  }));
  const batch = {
    identity,
    name: identity,
    task: null,
    policy: policyOf(asked),
    maxCostNanoDollars: asked.maxCostNanoDollars,
    terms: ANY_TERMS,
    deadlineText: null,
    outputPath: null,
    errorPath: null,
    isServed: true,
  };
  const taken = await store.ingest(batch, routing, eachOf([rows]), () => '{}');
  if (taken.kind === 'no-good-line') throw new Error('Expected the batch to be taken in, but it was not.');
  return taken.batch.id;
};

const take = async (pool: pg.Pool, store: BatchStore, id: number, step: Step, routing: Routing) => {
  switch (step.kind) {
    case 'adopt':
      return await store.adoptConfiguration(id, routing);
    case 'add':
      return await store.addLanes(id, routing);
    case 'retry':
      await pool.query("UPDATE request SET state = 'failed' WHERE batch_id = $1", [id]);
      await pool.query("UPDATE batch SET failed = total, state = 'completed' WHERE id = $1", [id]);
      await pool.query('DELETE FROM pool WHERE batch_id = $1', [id]);
      expect(await store.retry(id, step.pool, routing)).toBeGreaterThan(0);
  }
};

const lanesInPools = async (pool: pg.Pool, batchId: number): Promise<readonly string[]> => {
  const { rows } = await pool.query<{ lane_id: string }>(
    'SELECT DISTINCT unnest(lane_ids) AS lane_id FROM pool WHERE batch_id = $1',
    [batchId],
  );
  return rows.map((row) => row.lane_id);
};

test('no pool row ever holds a lane that does not qualify', { timeout: 120_000 }, async (context) => {
  const { pool } = await openTestRecord(context);
  const store = postgresBatchStore(pool);
  let seen = 0;
  await fc.assert(
    fc.asyncProperty(
      someProviders,
      somePolicy,
      someProcess,
      fc.array(someStep, { maxLength: 6 }),
      async (providers, asked, first, steps) => {
        const forbidden = new Set(ruledOut(providers, asked));
        const id = await ingest(store, asked, routingOf(providers, first));
        const check = async (): Promise<void> => {
          const lanes = await lanesInPools(pool, id);
          seen += lanes.length;
          expect(lanes.filter((laneId) => forbidden.has(laneId))).toEqual([]);
        };
        await check();
        for (const step of steps) {
          await take(pool, store, id, step, routingOf(providers, step.by));
          await check();
        }
      },
    ),
    { numRuns: 100 },
  );
  expect(seen).toBeGreaterThan(0);
});

test('every lane that qualifies is there, too, in the order of the pool, what is paid after all others', async (context) => {
  const { pool } = await openTestRecord(context);
  const store = postgresBatchStore(pool);
  await fc.assert(
    fc.asyncProperty(someProviders, somePolicy, someProcess, async (providers, asked, process) => {
      const forbidden = new Set(ruledOut(providers, asked));
      const routing = routingOf(providers, process);
      const id = await ingest(store, asked, routing);
      const { rows } = await pool.query("SELECT lane_ids FROM pool WHERE batch_id = $1 AND name = 'small'", [
        id,
      ]);
      const isPaid = (laneId: string): boolean =>
        routing.provider(laneId.split('/')[0] ?? '')?.tier === 'paid';
      const named = routing.lanesOf('small').map((lane) => lane.id);
      const joining =
        named.length === 0
          ? []
          : routing.providers.flatMap(({ lanes }) => lanes.map(({ id: laneId }) => laneId));
      const wanted = [
        ...named.filter((laneId) => !isPaid(laneId)),
        ...named.filter(isPaid),
        ...joining.filter(isPaid),
      ];
      expect(rows).toEqual([{ lane_ids: [...new Set(wanted)].filter((laneId) => !forbidden.has(laneId)) }]);
    }),
    { numRuns: 30 },
  );
});
