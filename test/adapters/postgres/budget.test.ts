/** Money on a real record: who may be granted a paid lane, how much is held, and what becomes of it. */
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { recordClientConfig } from '../../../src/adapters/postgres/connect.ts';
import type { FinishedCall } from '../../../src/app/ledger.ts';
import type { PaymentTerm } from '../../../src/app/planning.ts';
import type { Price } from '../../../src/core/model.ts';
import { sizeClasses } from '../../../src/core/plan/size-classes.ts';
import { aLane, aProvider, routingFor } from '../../app/fakes.ts';
import { aCell, aSituation } from '../../core/plan/a-situation.ts';
import { openTestRecord, type TestRecord } from '../../postgres-fixture.ts';
import { takeInSizes } from './a-batch-with-a-budget.ts';
import { openRecordAtWork, type RecordAtWork } from './a-record-at-work.ts';

const CONTEXT = 10_000;
/** A prompt token costs 100 billionths, an answer's 1,000. */
const PRICE: Price = {
  inputNanoDollarsPerMillion: 100_000_000,
  outputNanoDollarsPerMillion: 1_000_000_000,
  requestNanoDollars: 0,
};
const MINI = aLane('vendor/mini', { contextTokens: CONTEXT, price: PRICE });
const OTHER = aLane('vendor/other', { contextTokens: CONTEXT, price: PRICE });
const FREE = aLane('free/one', { contextTokens: CONTEXT });
const ROUTING = routingFor(
  [aProvider([MINI, OTHER], { tier: 'paid' }), aProvider([FREE])],
  [
    { name: 'small', laneIds: ['free/one'] },
    { name: 'paid', laneIds: ['vendor/mini'] },
  ],
);
/** What a line costs at most: 1,000 tokens of prompt, 100 of answer. */
const LINE = 1_000 * 100 + 100 * 1_000;

/** Reckoned just now, for long enough. */
const FRESH: PaymentTerm = { ageMs: 0, forMs: 3_600_000 };

let record: TestRecord;
let work: RecordAtWork;
let batches = 0;

beforeEach(async (context) => {
  record = await openTestRecord(context);
  work = await openRecordAtWork(record, ROUTING);
});
afterEach(() => work[Symbol.asyncDispose]());

/** A batch of lines of these sizes, which may have as many calls on paid lanes as it can pay. */
const aBatch = async (
  maxCostNanoDollars: number | null,
  mostPromptTokens: readonly number[],
  mayPay = true,
): Promise<number> => {
  batches += 1;
  const sizes = mostPromptTokens.map((most) => ({
    promptTokens: most,
    mostPromptTokens: most,
    outputTokens: 100,
  }));
  const id = await takeInSizes(work.store, ROUTING, { name: `batch ${batches}`, maxCostNanoDollars, sizes });
  if (mayPay) await work.store.allowPaid(id, 1_000, FRESH);
  return id;
};

const grantOn = async (lane = MINI, atMost = 50) =>
  await work.ledger.grant({ lane, wishes: null, targetTokens: 0, atMost });
const idsGranted = async (lane = MINI, atMost = 50): Promise<readonly number[]> =>
  (await grantOn(lane, atMost)).slices.flat();

/** The lane has shown that its calls take no more than was thought. */
const showLane = async (laneId = MINI.id, ratio = 0.5): Promise<void> =>
  void (await record.pool.query(
    `INSERT INTO lane_total (lane_id, most_cost_ratio) VALUES ($1, $2)
     ON CONFLICT (lane_id) DO UPDATE SET most_cost_ratio = EXCLUDED.most_cost_ratio`,
    [laneId, ratio],
  ));

const moneyOf = async (batchId: number): Promise<readonly [spent: number, held: number]> => {
  const { spentNanoDollars, heldNanoDollars } = await work.batch(batchId);
  return [spentNanoDollars, heldNanoDollars];
};

const answered = (grantId: number, promptTokens: number, completionTokens: number): FinishedCall => ({
  grantId,
  outcome: 'succeeded',
  reason: null,
  usage: { promptTokens, completionTokens },
  sentAtMs: null,
  durationMs: 5,
  settlement: 'usage',
  countsAsTry: true,
  next: { kind: 'succeeded', line: '{}' },
  excluded: [],
  avoided: [],
  droppedParameters: [],
  outputCapTokens: null,
  told: null,
});

describe('a paid lane', () => {
  beforeEach(() => showLane());

  it('gets nothing of a batch without a budget, though a pool should name it', async () => {
    const id = await aBatch(null, [1_000]);
    await record.pool.query("UPDATE pool SET lane_ids = '{vendor/mini,free/one}' WHERE batch_id = $1", [id]);
    await record.pool.query('UPDATE batch SET paid_requests = 5 WHERE id = $1', [id]);
    expect(await grantOn()).toMatchObject({ slices: [], stoppedBy: 'no-work' });
    expect(await idsGranted(FREE)).toHaveLength(1);
  });

  it('gets nothing of a batch with a budget until the plan allows it, and then no more than that', async () => {
    const id = await aBatch(100 * LINE, [1_000, 1_000, 1_000, 1_000], false);
    expect(await idsGranted()).toEqual([]);
    await work.store.allowPaid(id, 3, FRESH);
    expect(await idsGranted(MINI, 2)).toHaveLength(2);
    expect(await idsGranted()).toHaveLength(1);
    expect(await idsGranted()).toEqual([]);
    await work.store.allowPaid(id, 0, FRESH);
    expect(await idsGranted()).toEqual([]);
    expect(await moneyOf(id)).toEqual([0, 3 * LINE]);
  });

  it('gets no more where the plan was made before the last of them were granted', async () => {
    const id = await aBatch(100 * LINE, [1_000, 1_000, 1_000, 1_000], false);
    await work.store.allowPaid(id, 3, FRESH);
    expect(await idsGranted(MINI, 2)).toHaveLength(2);
    // It still saw all three of them wait.
    await work.store.allowPaid(id, 3, { ...FRESH, ageMs: 60_000 });
    expect(await idsGranted()).toHaveLength(1);
    await work.store.allowPaid(id, 2, { ...FRESH, ageMs: 60_000 });
    expect(await idsGranted()).toEqual([]);
  });

  it('gets nothing by a plan that is long past', async () => {
    const id = await aBatch(100 * LINE, [1_000, 1_000], false);
    await work.store.allowPaid(id, 2, { ageMs: 0, forMs: 0 });
    expect(await grantOn()).toMatchObject({ slices: [], stoppedBy: 'no-work' });
    await work.store.allowPaid(id, 2, FRESH);
    expect(await idsGranted()).toHaveLength(2);
  });

  it('gets as many lines as the budget covers, the smallest first', async () => {
    const id = await aBatch(2 * LINE, [5_000, 1_000, 4_000, 900, 6_000]);
    const ids = await idsGranted();
    const { rows } = await record.pool.query<{ custom_id: string }>(
      'SELECT r.custom_id FROM grants g JOIN request r ON r.id = g.request_id WHERE g.id = ANY ($1) ORDER BY 1',
      [ids],
    );
    expect(rows.map((row) => row.custom_id)).toEqual(['line-2', 'line-4']);
    expect(await moneyOf(id)).toEqual([0, 2 * LINE - 100 * 100]);
    expect(await grantOn()).toMatchObject({ slices: [], stoppedBy: 'no-work', wakeAtMs: null });
  });

  it('passes by what the rest of the budget cannot pay for, however much it is wished for', async () => {
    const picture = { promptTokens: 500, mostPromptTokens: null, outputTokens: 100 };
    const text = { promptTokens: 100, mostPromptTokens: 200, outputTokens: 100 };
    const small = 200 * 100 + 100 * 1_000;
    const id = await takeInSizes(work.store, ROUTING, {
      name: 'pictures',
      maxCostNanoDollars: 2 * small,
      sizes: [picture, picture, picture, text, text, text],
    });
    await work.store.allowPaid(id, 6, FRESH);
    const { rows } = await record.pool.query<{ route_id: number }>('SELECT DISTINCT route_id FROM request');
    const cell = aCell(20, 6, {
      routeId: rows[0]?.route_id ?? 0,
      outputIsAsked: true,
      capTokens: 100,
      fromTokens: 0,
      toTokens: CONTEXT,
    });
    const [sizeClass] = sizeClasses(
      aSituation({ cells: [cell], routes: [{ id: cell.routeId, batchId: id, priority: 0, laneIds: [] }] }),
    );
    if (sizeClass === undefined) throw new Error('Expected a class.');
    const wish = { sizeClass, cell, atMost: 4, isPlanned: true };
    const wishes = { ranges: [wish], plannedRouteIds: [cell.routeId] };
    const grantWished = () => work.ledger.grant({ lane: MINI, wishes, targetTokens: 0, atMost: 4 });
    expect((await grantWished()).slices.flat()).toHaveLength(2);
    expect(await moneyOf(id)).toEqual([0, 2 * small]);
    expect(await grantWished()).toMatchObject({ slices: [], stoppedBy: 'no-work' });
    // What the next one needs is known, so that the batch can say that its money is spent.
    expect((await work.batch(id)).refusedNanoDollars).toBeGreaterThan(0);
  });

  it('goes on as soon as a call has cost less than was held for it', async () => {
    const id = await aBatch(2 * LINE, [1_000, 1_000, 1_000]);
    const [first = 0] = await idsGranted();
    expect(await idsGranted()).toEqual([]);
    await work.begin([first]);
    await work.ledger.finish([answered(first, 200, 10)]);
    expect(await moneyOf(id)).toEqual([200 * 100 + 10 * 1_000, LINE]);
    expect(await idsGranted()).toEqual([]);
    await work.store.setMaxCost(id, 3 * LINE, ROUTING);
    expect(await idsGranted()).toHaveLength(1);
  });

  it('serves another batch while one cannot pay for what it has left', async () => {
    const poor = await aBatch(LINE - 1, [1_000, 2_000]);
    const rich = await aBatch(10 * LINE, [1_000, 1_000]);
    const granted = [
      ...(await idsGranted(MINI, 1)),
      ...(await idsGranted(MINI, 1)),
      ...(await idsGranted(MINI, 1)),
    ];
    expect(granted).toHaveLength(2);
    expect([await moneyOf(poor), await moneyOf(rich)]).toEqual([
      [0, 0],
      [0, 2 * LINE],
    ]);
  });

  it('leaves the rest of a budget that covers none of its calls to a cheaper one', async () => {
    await showLane(OTHER.id);
    await record.pool.query(
      "UPDATE lane_terms SET input_nano_dollars_per_million = 10000000, output_nano_dollars_per_million = 0 WHERE lane_id = 'vendor/other'",
    );
    const id = await aBatch(LINE - 1, [1_000, 1_000]);
    expect(await idsGranted()).toEqual([]);
    expect((await work.batch(id)).refusedNanoDollars).toBe(LINE);
    expect(await idsGranted(OTHER)).toHaveLength(2);
  });

  it('is never called without a price, however large the budget is', async () => {
    await aBatch(1_000 * LINE, [1_000]);
    await record.pool.query(
      "UPDATE lane_terms SET input_nano_dollars_per_million = NULL WHERE lane_id = 'vendor/mini'",
    );
    expect(await grantOn()).toMatchObject({ slices: [], stoppedBy: 'no-work' });
  });

  it('gives everything back where a call never began, and keeps what may have been spent where its worker died', async () => {
    const id = await aBatch(10 * LINE, [1_000, 1_000]);
    const [released = 0, lost = 0] = await idsGranted();
    await record.pool.query('SELECT release_grants($1, $2)', [[released], 'a test']);
    expect(await moneyOf(id)).toEqual([0, LINE]);
    await work.begin([lost]);
    await record.pool.query('SELECT close_lost_grants($1)', [[lost]]);
    expect(await moneyOf(id)).toEqual([LINE, 0]);
    await work.ledger.finish([answered(lost, 10, 1)]);
    expect(await moneyOf(id)).toEqual([10 * 100 + 1_000, 0]);
  });

  it('begins no call any more where the budget was set below what is spent and held', async () => {
    const id = await aBatch(10 * LINE, [1_000, 1_000, 1_000]);
    const [first = 0, ...others] = await idsGranted();
    await work.begin([first]);
    await work.store.setMaxCost(id, 2 * LINE, ROUTING);
    expect(await work.begin(others)).toEqual([]);
    expect(await moneyOf(id)).toEqual([0, LINE]);
    await work.ledger.finish([answered(first, 200, 10)]);
    expect(await moneyOf(id)).toEqual([200 * 100 + 10 * 1_000, 0]);
    expect(await idsGranted()).toHaveLength(1);
  });

  it('is settled at the price it was granted at', async () => {
    const id = await aBatch(10 * LINE, [1_000]);
    const [grantId = 0] = await idsGranted();
    await work.begin([grantId]);
    await record.pool.query('UPDATE lane_terms SET input_nano_dollars_per_million = 900000000000');
    await work.ledger.finish([answered(grantId, 1_000, 100)]);
    expect(await moneyOf(id)).toEqual([LINE, 0]);
  });
});

describe('two lanes at the same moment', () => {
  it('never see the same money: the second waits for the first, and finds it gone', async () => {
    await showLane();
    await showLane(OTHER.id);
    const id = await aBatch(LINE, [1_000, 1_000]);
    const slow = new pg.Client(recordClientConfig(record.address));
    await slow.connect();
    try {
      await slow.query('BEGIN');
      const first = await slow.query<{ grant_ids: number[] }>(
        "SELECT * FROM grant_requests('vendor/mini', 'vendor', $1, 4096, 0, 1, '{}', '{}')",
        [CONTEXT],
      );
      expect(first.rows[0]?.grant_ids).toHaveLength(1);
      const second = idsGranted(OTHER);
      await waiting();
      await slow.query('COMMIT');
      expect(await second).toEqual([]);
    } finally {
      await slow.end();
    }
    expect(await moneyOf(id)).toEqual([0, LINE]);
  });

  it('do not wait for each other in a circle where one gives calls back and begins others again', async () => {
    await showLane();
    await showLane(OTHER.id);
    const id = await aBatch(10 * LINE, [1_000, 1_000]);
    const [closed = 0] = await idsGranted(MINI, 1);
    const [again = 0] = await idsGranted(OTHER, 1);
    await work.begin([again]);
    await record.pool.query("INSERT INTO lane_pause (lane_id, paused_at_ms) VALUES ('vendor/mini', 0)");
    const granting = new pg.Client(recordClientConfig(record.address));
    await granting.connect();
    try {
      await granting.query('BEGIN');
      await granting.query("SELECT settle_limits('{vendor/other,vendor}')");
      const begun = work.begin([closed, again]);
      await waiting();
      await granting.query('SELECT FROM batch WHERE id = $1 FOR UPDATE', [id]);
      await granting.query('COMMIT');
      expect((await begun).map(({ grantId }) => grantId)).toEqual([again]);
    } finally {
      await granting.end();
    }
    expect(await moneyOf(id)).toEqual([0, LINE]);
  });

  it('nothing is granted if the budget would be exceeded after all', async () => {
    await showLane();
    const id = await aBatch(LINE, [1_000]);
    const [grantId] = await idsGranted();
    await record.pool.query('DELETE FROM paid_call WHERE grant_id = $1', [grantId]);
    await expect(record.pool.query('SELECT hold_costs($1, $2)', [[grantId], CONTEXT])).rejects.toThrow(
      'the price of a lane was raised',
    );
    expect(await moneyOf(id)).toEqual([0, LINE]);
  });
});

describe('a lane of which nothing is known yet', () => {
  it('makes one paid call at a time until an answer shows what its calls take', async () => {
    await aBatch(100 * LINE, [1_000, 1_000, 1_000, 1_000]);
    const [first = 0, ...others] = await idsGranted();
    expect([first > 0, others]).toEqual([true, []]);
    expect(await grantOn()).toMatchObject({ slices: [], stoppedBy: 'no-slot' });
    await work.begin([first]);
    await work.ledger.finish([answered(first, 200, 10)]);
    expect(await idsGranted()).toHaveLength(3);
  });
});

describe('a provider that counts more than any tokenizer does', () => {
  it('is counted in full, stops what comes after in time, and is held with more from then on', async () => {
    const id = await aBatch(4 * LINE, [1_000, 1_000, 1_000]);
    const [first = 0] = await idsGranted();
    await work.begin([first]);
    await work.ledger.finish([answered(first, 3_000, 100)]);
    expect(await moneyOf(id)).toEqual([2 * LINE, 0]);
    // Twice the most, and half as much again: only a larger budget covers that now.
    expect(await idsGranted()).toEqual([]);
    await work.store.setMaxCost(id, 5 * LINE, ROUTING);
    expect(await idsGranted()).toHaveLength(1);
    expect(await moneyOf(id)).toEqual([2 * LINE, 3 * LINE]);
  });

  it('is held with as much more where it is the answers that are longer than was asked for', async () => {
    const id = await aBatch(1_000 * LINE, [1_000, 1_000]);
    const [first = 0] = await idsGranted();
    await work.begin([first]);
    await work.ledger.finish([answered(first, 200, 5_000)]);
    const cost = 200 * 100 + 5_000 * 1_000;
    expect(await moneyOf(id)).toEqual([cost, 0]);
    await idsGranted();
    const [, held] = await moneyOf(id);
    expect(held).toBeGreaterThanOrEqual(cost);
  });

  it('is believed as far as a worker lets it claim', async () => {
    const id = await aBatch(1_000 * LINE, [1_000, 1_000]);
    const [first = 0] = await idsGranted();
    await work.begin([first]);
    await work.ledger.finish([answered(first, 1e9, 1e9)]);
    expect(await moneyOf(id)).toEqual([1e9 * 1_100, 0]);
    expect(await idsGranted()).toEqual([]);
  });

  it('is never held with more than a full context costs, whatever part of it is answer', async () => {
    await showLane(MINI.id, 1e18);
    const id = await aBatch(100 * LINE, [1_000]);
    expect(await idsGranted()).toHaveLength(1);
    expect(await moneyOf(id)).toEqual([0, CONTEXT * 1_000]);
  });
});

/** Resolves once a query of this record waits for a lock. */
const waiting = async (): Promise<void> => {
  const isWaiting =
    "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
  await expect.poll(async () => (await record.pool.query(isWaiting)).rowCount, { timeout: 10_000 }).toBe(1);
};
