/**
 * Spent and held together never exceed a budget, on a real record: several connections grant, begin, finish, lose and give
 * back at once, and calls take anything up to what their size allows. What calls really cost is added up beside the record;
 * one of which nobody heard again may have cost all that it could.
 */
import fc from 'fast-check';
import type pg from 'pg';
import { expect, test, type TestContext } from 'vitest';
import { connectRecord } from '../../../src/adapters/postgres/connect.ts';
import { postgresBatchStore } from '../../../src/adapters/postgres/batch-store.ts';
import { postgresGrantLedger } from '../../../src/adapters/postgres/grant-ledger.ts';
import type { BegunCall, FinishedCall, GrantLedger } from '../../../src/app/ledger.ts';
import { costNanoDollars } from '../../../src/core/money/price.ts';
import type { Price, TokenUsage } from '../../../src/core/model.ts';
import { aLane, aProvider, routingFor } from '../../app/fakes.ts';
import { openTestRecord, type TestRecord } from '../../postgres-fixture.ts';
import { type LineSize, takeInSizes } from './a-batch-with-a-budget.ts';
import { openRecordAtWork } from './a-record-at-work.ts';

const CONTEXT = 4_000;
const DEAR: Price = {
  inputNanoDollarsPerMillion: 150_000_000,
  outputNanoDollarsPerMillion: 600_000_001,
  requestNanoDollars: 0,
};
const ODD: Price = {
  inputNanoDollarsPerMillion: 37_500_001,
  outputNanoDollarsPerMillion: 7,
  requestNanoDollars: 12_345,
};
const PRICES: Readonly<Record<string, Price>> = { 'vendor/dear': DEAR, 'vendor/odd': ODD };
const LANE_IDS = Object.keys(PRICES);
const LANES = LANE_IDS.map((id) =>
  aLane(id, { contextTokens: CONTEXT, concurrency: 64, price: PRICES[id] ?? DEAR }),
);
const ROUTING = routingFor(
  [
    aProvider(LANES, { tier: 'paid' }),
    aProvider([aLane('free/one', { contextTokens: CONTEXT, concurrency: 64 })]),
  ],
  [{ name: 'small', laneIds: ['free/one'] }],
);

const someSize: fc.Arbitrary<LineSize> = fc.record({
  promptTokens: fc.integer({ min: 1, max: 1_500 }),
  mostPromptTokens: fc.option(fc.integer({ min: 1, max: 6_000 }), { nil: null }),
  outputTokens: fc.integer({ min: 1, max: 800 }),
});

/** How a call ends; a usage is a share of the most that its size allows. */
type Ending =
  | { readonly kind: 'usage' | 'late'; readonly promptShare: number; readonly outputShare: number }
  | { readonly kind: 'unknown' | 'refused' | 'unreached' | 'lost' | 'released' };

const someShare = fc.oneof(fc.constant(1), fc.double({ min: 0, max: 1, noNaN: true }));
const someEnding: fc.Arbitrary<Ending> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('usage' as const, 'late' as const),
      promptShare: someShare,
      outputShare: someShare,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'unknown' as const,
        'refused' as const,
        'unreached' as const,
        'lost' as const,
        'released' as const,
      ),
    }),
  },
);

interface Turn {
  readonly laneId: string;
  readonly atMost: number;
  readonly endings: readonly Ending[];
}

const someTurn: fc.Arbitrary<Turn> = fc.record({
  laneId: fc.constantFrom(...LANE_IDS),
  atMost: fc.integer({ min: 1, max: 5 }),
  endings: fc.array(someEnding, { minLength: 5, maxLength: 5 }),
});

/** What the night really cost, call by call, by the test's own count. */
interface Truth {
  readonly sizes: readonly LineSize[];
  costs: number;
  grants: number;
}

const usageOf = (
  call: BegunCall,
  { sizes }: Truth,
  ending: { readonly promptShare: number; readonly outputShare: number },
): TokenUsage => {
  const most = Math.min(
    CONTEXT,
    sizes[Number(call.customId.slice('line-'.length)) - 1]?.mostPromptTokens ?? CONTEXT,
  );
  return {
    promptTokens: Math.floor(most * ending.promptShare),
    completionTokens: Math.floor(call.outputTokens * ending.outputShare),
  };
};

const finished = (
  call: BegunCall,
  usage: TokenUsage | null,
  settlement: FinishedCall['settlement'],
): FinishedCall => ({
  grantId: call.grantId,
  outcome: usage === null ? 'sick' : 'useless-answer',
  reason: 'a test',
  usage,
  sentAtMs: null,
  durationMs: 5,
  settlement,
  countsAsTry: false,
  next: { kind: 'pending', avoidUntilMs: null },
  excluded: [],
  avoided: [],
  droppedParameters: [],
  outputCapTokens: null,
  told: null,
});

/** All that a call may take. */
const ALL = { promptShare: 1, outputShare: 1 };

interface Actor {
  readonly pool: pg.Pool;
  readonly ledger: GrantLedger;
  readonly processId: number;
  readonly truth: Truth;
}

/** Ends a call in one of the ways that calls end, and counts what it really cost. */
const endCall = async ({ pool, ledger, truth }: Actor, call: BegunCall, ending: Ending): Promise<void> => {
  const price = PRICES[call.laneId] ?? DEAR;
  switch (ending.kind) {
    case 'usage':
    case 'late': {
      const usage = usageOf(call, truth, ending);
      truth.costs += costNanoDollars(price, usage);
      if (ending.kind === 'late') await pool.query('SELECT close_lost_grants($1)', [[call.grantId]]);
      await ledger.finish([finished(call, usage, 'usage')]);
      return await ledger.finish([finished(call, usage, 'usage')]); // told again, as after a broken connection
    }
    case 'unknown':
      truth.costs += costNanoDollars(price, usageOf(call, truth, ALL));
      return await ledger.finish([finished(call, null, 'estimate')]);
    case 'refused':
      truth.costs += price.requestNanoDollars;
      return await ledger.finish([finished(call, null, 'request')]);
    case 'unreached':
      return await ledger.finish([finished(call, null, 'release')]);
    case 'lost':
      truth.costs += costNanoDollars(price, usageOf(call, truth, ALL));
      await pool.query('SELECT close_lost_grants($1)', [[call.grantId]]);
      return await ledger.finish([finished(call, null, 'release')]);
    case 'released':
      await pool.query('SELECT release_grants($1, $2)', [[call.grantId], 'a test']);
  }
};

const act = async (actor: Actor, turns: readonly Turn[]): Promise<void> => {
  for (const { laneId, atMost, endings } of turns) {
    const lane = LANES.find(({ id }) => id === laneId);
    if (lane === undefined) continue;
    const { slices } = await actor.ledger.grant({ lane, wishes: null, targetTokens: 0, atMost });
    const ids = slices.flat();
    actor.truth.grants += ids.length;
    const calls = ids.length === 0 ? [] : await actor.ledger.begin(ids, actor.processId);
    for (const [index, call] of calls.entries()) {
      const ending = endings[index];
      if (ending !== undefined) await endCall(actor, call, ending);
    }
  }
};

interface Purse {
  readonly max: number;
  readonly spent: number;
  readonly held: number;
  readonly callsHeld: number;
  readonly callsSpent: number;
  readonly wasRefused: boolean;
}

const purseOf = async (pool: pg.Pool, batchId: number): Promise<Purse> => {
  const { rows } = await pool.query<Purse>(
    `SELECT b.max_cost_nano_dollars AS max, b.spent_nano_dollars AS spent, b.held_nano_dollars AS held, EXISTS (SELECT FROM refused_payment p WHERE p.batch_id = b.id) AS "wasRefused",
       (SELECT coalesce(sum(held_nano_dollars), 0) FROM paid_call WHERE batch_id = b.id AND cost_nano_dollars IS NULL) AS "callsHeld",
       (SELECT coalesce(sum(cost_nano_dollars), 0) FROM paid_call WHERE batch_id = b.id) AS "callsSpent"
     FROM batch b WHERE b.id = $1`,
    [batchId],
  );
  const [purse] = rows;
  if (purse === undefined) throw new Error(`Expected the batch ${batchId}, found none.`);
  return purse;
};

/** Several connections take their turns on one batch, while its purse is watched. */
const runNight = async (
  { record, processId, pools }: Stage,
  {
    id,
    truth,
    turnsOf,
  }: { readonly id: number; readonly truth: Truth; readonly turnsOf: readonly (readonly Turn[])[] },
): Promise<void> => {
  const over = new AbortController();
  const watch = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const { max, spent, held } = await purseOf(record.pool, id);
      expect(spent + held).toBeLessThanOrEqual(max);
    }
  };
  const acting = pools.map((pool, index) =>
    act({ pool, ledger: postgresGrantLedger(pool), processId, truth }, turnsOf[index] ?? []),
  );
  await Promise.all([watch(), Promise.all(acting).finally(() => over.abort())]);
};

interface Stage {
  readonly record: TestRecord;
  readonly processId: number;
  readonly pools: readonly pg.Pool[];
}

const setStage = async (context: TestContext): Promise<Stage & AsyncDisposable> => {
  const record = await openTestRecord(context);
  const work = await openRecordAtWork(record, ROUTING);
  const pools = Array.from({ length: 3 }, () => connectRecord(record.address, () => undefined));
  return {
    record,
    pools,
    processId: work.processId(),
    async [Symbol.asyncDispose]() {
      await Promise.all(pools.map((pool) => pool.end()));
      await work[Symbol.asyncDispose]();
    },
  };
};

const someCount = fc.integer({ min: 0, max: 2_000_000_000 });
const somePrice = fc.integer({ min: 0, max: 1_000_000_000_000 });

const someNight = fc.record({
  sizes: fc.array(someSize, { minLength: 1, maxLength: 12 }),
  maxCostNanoDollars: fc.integer({ min: 1, max: 6_000_000 }),
  turnsOf: fc.array(fc.array(someTurn, { minLength: 1, maxLength: 4 }), { minLength: 3, maxLength: 3 }),
});

test(
  'spent and held never exceed the budget, whatever happens at once',
  { timeout: 180_000 },
  async (context) => {
    await using stage = await setStage(context);
    const { pool } = stage.record;
    const store = postgresBatchStore(pool);
    const sums = { nights: 0, grants: 0, refusals: 0 };
    await fc.assert(
      fc.asyncProperty(someNight, async ({ sizes, maxCostNanoDollars, turnsOf }) => {
        sums.nights += 1;
        const id = await takeInSizes(store, ROUTING, {
          name: `night ${sums.nights}`,
          maxCostNanoDollars,
          sizes,
        });
        await store.allowPaid(id, 1_000, { ageMs: 0, forMs: 3_600_000 });
        const truth: Truth = { sizes, costs: 0, grants: 0 };
        await runNight(stage, { id, truth, turnsOf });
        const purse = await purseOf(pool, id);
        expect(purse).toMatchObject({ held: 0, callsHeld: 0, callsSpent: purse.spent });
        expect(truth.costs).toBeLessThanOrEqual(purse.spent);
        expect(purse.spent).toBeLessThanOrEqual(maxCostNanoDollars);
        sums.grants += truth.grants;
        sums.refusals += purse.wasRefused ? 1 : 0;
        await store.remove(id);
      }),
      { numRuns: 80 },
    );
    // The nights that were drawn called something, and some of them ran out of money.
    expect(sums.grants).toBeGreaterThan(60);
    expect(sums.refusals).toBeGreaterThan(5);
    expect((await pool.query('SELECT FROM paid_call')).rowCount).toBe(0);
  },
);

test('the record and the program reckon what calls cost alike, to the last billionth', async (context) => {
  const { pool } = await openTestRecord(context);
  await fc.assert(
    fc.asyncProperty(fc.tuple(someCount, someCount, somePrice, somePrice, somePrice), async (figures) => {
      const [promptTokens, completionTokens, input, output, request] = figures;
      const price = {
        inputNanoDollarsPerMillion: input,
        outputNanoDollarsPerMillion: output,
        requestNanoDollars: request,
      };
      const { rows } = await pool.query<{ cost: number }>('SELECT cost_of($1, $2, $3, $4, $5) AS cost', [
        ...figures,
      ]);
      expect(rows[0]?.cost).toBe(costNanoDollars(price, { promptTokens, completionTokens }));
    }),
    { numRuns: 200 },
  );
});
