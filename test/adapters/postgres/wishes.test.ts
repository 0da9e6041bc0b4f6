/** What a lane is granted by the plan: the ranges it wishes for, in their order, and nothing that has a better place. */
import { describe, expect, test } from 'vitest';
import { type TestRecord, openTestRecord } from '../../postgres-fixture.ts';
import type { Granted } from '../../../src/app/ledger.ts';
import type { Limit } from '../../../src/core/model.ts';
import type { Wish } from '../../../src/core/plan/wish-list.ts';
import { aLane, aProvider, routingFor } from '../../app/fakes.ts';
import { stopClockAt } from '../../contracts/quota-record.ts';
import { ANSWER, openRecordAtWork, type RecordAtWork } from './a-record-at-work.ts';

const LANE = 'alpha/small';
const NOW_MS = Date.parse('2026-11-20T12:00:00Z');

const routingWith = (limits: readonly Limit[]) =>
  routingFor([aProvider([aLane(LANE, { limits })])], [{ name: 'small', laneIds: [LANE] }]);

/** A batch of prompts of these sizes, every answer to which may take 10 tokens. */
const submit = async (
  at: RecordAtWork,
  prompts: readonly number[],
  name = 'first',
  priority = 0,
): Promise<void> => {
  const { id } = await at.submit(
    prompts.map((_, index) => `${name}-${index}`),
    { pool: 'small', name },
  );
  await at.pool.query('UPDATE batch SET priority = $2 WHERE id = $1', [id, priority]);
  await at.pool.query(
    `UPDATE request r SET prompt_tokens = s.size, output_tokens = 10, output_is_asked = true
     FROM unnest($2::integer[]) WITH ORDINALITY AS s (size, place) WHERE r.batch_id = $1 AND r.line_number = s.place`,
    [id, prompts],
  );
};

/** A record on which a batch waits whose prompts have these sizes; every answer may take 10 tokens. */
const openNight = async (
  record: TestRecord,
  limits: readonly Limit[],
  prompts: readonly number[],
): Promise<RecordAtWork> => {
  await stopClockAt(record.pool, NOW_MS);
  const at = await openRecordAtWork(record, routingWith(limits));
  await submit(at, prompts);
  await at.pool.query('UPDATE lane_terms SET token_ratio = 1');
  return at;
};

const wish = (fromTokens: number, toTokens: number, differences: Partial<Wish> = {}): Wish => {
  const cell = {
    routeId: 1,
    outputIsAsked: true,
    capTokens: 10,
    fromTokens,
    toTokens,
    largestTokens: toTokens,
    count: 1,
    promptTokens: 1,
  };
  const sizeClass = {
    key: `${fromTokens}`,
    count: 1,
    promptTokens: 1,
    capTokens: 10,
    answerTokens: 5,
    largest: [cell],
    outputIsAsked: true,
    laneIds: [LANE],
    priority: 0,
    cells: [cell],
  };
  return { sizeClass, cell, atMost: 1_000, isPlanned: true, ...differences };
};

const grant = async (
  at: RecordAtWork,
  ranges: readonly Wish[],
  {
    atMost = 8,
    plannedRouteIds = [1],
  }: { readonly atMost?: number; readonly plannedRouteIds?: number[] } = {},
): Promise<Granted> => {
  const lane = at.routing.lane(LANE);
  if (lane === undefined) throw new Error('Expected the lane of the test.');
  return await at.ledger.grant({
    lane,
    targetTokens: 1_000,
    atMost,
    wishes: { ranges, plannedRouteIds },
  });
};

const sizesOf = async (at: RecordAtWork, { slices }: Granted): Promise<readonly number[]> => {
  const { rows } = await at.pool.query<{ prompt_tokens: number }>(
    'SELECT prompt_tokens FROM grants WHERE id = ANY ($1::bigint[]) ORDER BY id',
    [slices.flat()],
  );
  return rows.map((row) => row.prompt_tokens);
};

const tokens = (amount: number): Limit => ({
  metric: 'tokens',
  amount,
  window: { kind: 'rolling', perMs: 60_000 },
});

describe('a lane with wishes', () => {
  test('is granted them in their order, so many of each, and the places they had', async (context) => {
    const record = await openTestRecord(context);
    await using at = await openNight(record, [], [10, 20, 300, 310, 900]);
    const granted = await grant(at, [
      wish(300, 399, { atMost: 1 }),
      wish(10, 29, { atMost: 1 }),
      wish(300, 399),
    ]);
    expect(await sizesOf(at, granted)).toEqual([310, 20, 300]);
    expect(granted.wishPlaces).toEqual([0, 1, 2]);
  });

  test('is not granted what the plan places elsewhere, however long it idles', async (context) => {
    const record = await openTestRecord(context);
    await using at = await openNight(record, [], [10, 900]);
    const granted = await grant(at, [wish(900, 999)]);
    expect(await sizesOf(at, granted)).toEqual([900]);
    expect(await grant(at, [wish(900, 999)])).toMatchObject({ slices: [], stoppedBy: 'no-work' });
  });

  test('is granted by itself what is on a route that the plan does not know', async (context) => {
    const record = await openTestRecord(context);
    await using at = await openNight(record, [], [10]);
    await submit(at, [20], 'later');
    expect(await sizesOf(at, await grant(at, []))).toEqual([20]);
  });

  test('is granted what failed since the plan was made only where it wishes for others of that size', async (context) => {
    const record = await openTestRecord(context);
    await using at = await openNight(record, [], [10, 12, 900, 910]);
    // They failed on some other lane, which their routes leave out.
    for (const size of [12, 910])
      await at.pool.query(
        `UPDATE request SET route_id = intern_route(batch_id, 'small', ARRAY['beta/' || $1]) WHERE prompt_tokens = $1::integer`,
        [String(size)],
      );
    const small = await grant(at, [wish(20, 29), wish(10, 19, { isPlanned: false })]);
    expect((await sizesOf(at, small)).toSorted((a, b) => a - b)).toEqual([10, 12]);
    expect(small.wishPlaces).toEqual([1, 1]);
    // There is nobody else for the 900 and the 910 now, but the plan has a place for them.
    expect(await grant(at, [])).toMatchObject({ slices: [], stoppedBy: 'no-work' });
    const large = await grant(at, [wish(900, 999, { atMost: 1 })]);
    expect(await sizesOf(at, large)).toHaveLength(2);
  });

  test.for([
    { what: 'the plan knows nothing of its batch', prompts: [10, 900], plannedRouteIds: [77] },
    { what: 'nothing else of its batch waits', prompts: [10], plannedRouteIds: [1] },
  ])('is granted by itself what failed since, where $what', async ({ prompts, plannedRouteIds }, context) => {
    const record = await openTestRecord(context);
    await using at = await openNight(record, [], prompts);
    await at.pool.query(
      `UPDATE request SET route_id = intern_route(batch_id, 'small', ARRAY['beta/1']) WHERE prompt_tokens = 10`,
    );
    expect(await sizesOf(at, await grant(at, [], { plannedRouteIds }))).toContain(10);
  });

  test('is granted before its wishes what waits at a higher priority, though the plan does not know of it yet', async (context) => {
    const record = await openTestRecord(context);
    await using at = await openNight(record, [], [10, 20, 900]);
    await submit(at, [15, 800], 'urgent', 1);
    const granted = await grant(at, [wish(10, 29)]);
    expect(await sizesOf(at, granted)).toEqual([800, 15, 20, 10]);
    expect(granted.wishPlaces).toEqual([null, null, 0, 0]);
  });

  test.for([{ priority: 0 }, { priority: -1 }])(
    'is granted its wishes before what waits at priority $priority and the plan does not know of',
    async ({ priority }, context) => {
      const record = await openTestRecord(context);
      await using at = await openNight(record, [], [10, 20]);
      await submit(at, [15], 'later', priority);
      expect(await sizesOf(at, await grant(at, [wish(20, 29)]))).toEqual([20, 15]);
    },
  );

  test('waits for what is of a higher priority, and takes meanwhile what it wishes for and fits beside it', async (context) => {
    const record = await openTestRecord(context);
    await using at = await openNight(record, [tokens(1_000)], [500, 470, 100, 80]);
    await at.begin((await grant(at, [wish(500, 500)])).slices.flat());
    await submit(at, [600], 'urgent', 1);
    // 490 are left. The 480 would fit, but not beside the 610 that come first when the window frees.
    const granted = await grant(at, [wish(470, 470), wish(100, 100)]);
    expect(await sizesOf(at, granted)).toEqual([100]);
  });

  test('is granted a request once that it wishes for on a route which the plan does not know', async (context) => {
    const record = await openTestRecord(context);
    await using at = await openNight(record, [], [10, 900]);
    const granted = await grant(at, [wish(10, 19)], { plannedRouteIds: [] });
    expect((await sizesOf(at, granted)).toSorted((a, b) => a - b)).toEqual([10, 900]);
  });

  test('is told to ask again soon where another lane is looking at the only request that it wishes for', async (context) => {
    const record = await openTestRecord(context);
    await using at = await openNight(record, [], [900]);
    const other = await at.pool.connect();
    await other.query('BEGIN');
    await other.query('SELECT FROM request FOR UPDATE');
    expect(await grant(at, [wish(900, 999)])).toMatchObject({ stoppedBy: 'no-work', wakeAtMs: NOW_MS + 50 });
    expect(await grant(at, [wish(10, 99)])).toMatchObject({ stoppedBy: 'no-work', wakeAtMs: null });
    await other.query('ROLLBACK');
    other.release();
    expect(await sizesOf(at, await grant(at, [wish(900, 999)]))).toEqual([900]);
  });

  test('waits for the one it wants most, and takes meanwhile what fits beside it', async (context) => {
    const record = await openTestRecord(context);
    await using at = await openNight(record, [tokens(1_000)], [500, 470, 400, 100]);
    const [first = 0] = (await grant(at, [wish(500, 500)])).slices.flat();
    await at.begin([first]);

    // 490 are left. 470 and 10 would fit, but not beside the 600 that come first when the window frees.
    const granted = await grant(at, [wish(400, 400), wish(470, 470, { isPlanned: false })]);
    expect(await sizesOf(at, granted)).toEqual([400]);
    const waiting = await grant(at, [wish(470, 470), wish(100, 100, { isPlanned: false })]);
    expect(waiting).toMatchObject({ slices: [], stoppedBy: 'no-room' });
    expect(waiting.wakeAtMs).toBeGreaterThan(NOW_MS + 59_000);
  });

  test('lets smaller ones go first only where they do not put off the one that it waits for', async (context) => {
    const record = await openTestRecord(context);
    await using at = await openNight(record, [tokens(1_000)], [600, 880, 80, 90]);
    const [first = 0] = (await grant(at, [wish(600, 600)])).slices.flat();
    await at.begin([first]);

    // 390 are left now; when the 610 are over, 110 will be beside the 890.
    const granted = await grant(at, [wish(880, 880), wish(80, 99, { isPlanned: false })]);
    expect(await sizesOf(at, granted)).toEqual([90]);
    expect(granted.stoppedBy).toBe('no-room');
  });

  test('goes on with the next wish where a limit on requests is not in the way of any', async (context) => {
    const record = await openTestRecord(context);
    const limits: readonly Limit[] = [
      { metric: 'requests', amount: 2, window: { kind: 'rolling', perMs: 60_000 } },
    ];
    await using at = await openNight(record, limits, [10, 20, 30]);
    const granted = await grant(at, [wish(1, 99)]);
    expect(await sizesOf(at, granted)).toEqual([30, 20]);
    await at.runGrant(granted.slices.flat()[0] ?? 0, ANSWER);
    expect(await grant(at, [wish(1, 99)])).toMatchObject({ slices: [], stoppedBy: 'no-room' });
    expect(await grant(at, [wish(200, 299)])).toMatchObject({ slices: [], stoppedBy: 'no-work' });
  });

  test('knows when there is room for what is welcome but does not fit, and has work until then', async (context) => {
    const record = await openTestRecord(context);
    await using at = await openNight(record, [tokens(1_000)], [900, 500]);
    await at.begin((await grant(at, [wish(900, 900)])).slices.flat());
    const waiting = await grant(at, [wish(500, 500, { isPlanned: false })]);
    expect(waiting).toMatchObject({ slices: [], stoppedBy: 'no-room' });
    expect(waiting.wakeAtMs).toBeGreaterThan(NOW_MS + 59_000);
  });

  test('takes what fits beside the one that it waits for although calls before it have not begun', async (context) => {
    const record = await openTestRecord(context);
    await using at = await openNight(record, [tokens(1_000)], [500, 600, 70, 90]);
    await grant(at, [wish(500, 500)]);
    // 490 are left. The 510 end some time, and then 390 are left beside the 610.
    const granted = await grant(at, [wish(600, 600), wish(70, 99, { isPlanned: false })]);
    expect(await sizesOf(at, granted)).toEqual([90, 70]);
  });

  test('takes what fits beside the one that it waits for although a call that ends before is in the bucket', async (context) => {
    const record = await openTestRecord(context);
    const bucket = { metric: 'requests', amount: 2, window: { kind: 'refill', perMs: 60_000 } } as const;
    await using at = await openNight(record, [tokens(1_000), bucket], [500, 600, 380]);
    const [first = 0] = (await grant(at, [wish(500, 500)])).slices.flat();
    await at.begin([first]);
    // When the 510 are over, a minute from now, the bucket has drained what the first call put in.
    const granted = await grant(at, [wish(600, 600), wish(380, 380, { isPlanned: false })]);
    expect(await sizesOf(at, granted)).toEqual([380]);
  });

  test('does not put off the one that it waits for by what it was granted a moment before', async (context) => {
    const record = await openTestRecord(context);
    await using at = await openNight(record, [tokens(1_000)], [300, 290, 685, 90, 80]);
    await at.begin((await grant(at, [wish(300, 300)])).slices.flat());
    await stopClockAt(at.pool, NOW_MS + 50_000);

    // 690 are left, 390 after the 300. When the 310 end there will be 700: 695 for the next, and nothing for others.
    const wishes = [wish(290, 290), wish(685, 685), wish(80, 99, { isPlanned: false })];
    const granted = [await grant(at, wishes), await grant(at, wishes), await grant(at, wishes)];
    const sizes = await Promise.all(granted.map((each) => sizesOf(at, each)));
    expect(sizes.flat()).toEqual([290]);
  });

  test('is not asked again before it has room beside the one that it waits for, on whatever route', async (context) => {
    const record = await openTestRecord(context);
    await using at = await openNight(record, [tokens(1_000)], [500, 600]);
    await at.begin((await grant(at, [wish(500, 500)])).slices.flat());
    await submit(at, [450], 'later');
    // 490 are left, and the 460 of the other batch do not fit beside the 610.
    const waiting = await grant(at, [wish(600, 600)]);
    expect(waiting).toMatchObject({ slices: [], stoppedBy: 'no-room' });
    expect(waiting.wakeAtMs).toBeGreaterThan(NOW_MS + 59_000);
  });

  test('keeps a request for the one that it waits for', async (context) => {
    const record = await openTestRecord(context);
    const requests: Limit = { metric: 'requests', amount: 4, window: { kind: 'rolling', perMs: 600_000 } };
    await using at = await openNight(record, [tokens(1_000), requests], [500, 600, 10, 11, 12]);
    await at.begin((await grant(at, [wish(500, 500)])).slices.flat());
    const granted = await grant(at, [wish(600, 600), wish(10, 19, { isPlanned: false })]);
    expect(await sizesOf(at, granted)).toEqual([12, 11]);
  });

  test('lets nothing go first where an answer that is due makes room for the one that it waits for', async (context) => {
    const record = await openTestRecord(context);
    await using at = await openNight(record, [tokens(1_000)], [500, 485, 80]);
    await at.begin((await grant(at, [wish(500, 500)])).slices.flat());
    await at.pool.query(
      `INSERT INTO lane_total (lane_id, succeeded, completion_tokens, mean_call_ms, timed_calls) VALUES ($1, 100, 200, 2000, 100)
       ON CONFLICT (lane_id) DO UPDATE SET succeeded = 100, completion_tokens = 200, mean_call_ms = 2000, timed_calls = 100`,
      [LANE],
    );
    // 490 are left; of the 10 for the answer under way 7 come back, and then the 495 fit.
    const wishes = [wish(485, 485), wish(80, 80, { isPlanned: false })];
    const waiting = await grant(at, wishes);
    expect(waiting).toMatchObject({ slices: [], stoppedBy: 'no-room' });
    expect(waiting.wakeAtMs).toBe(NOW_MS + 2_000);

    // That answer has taken too long for anybody to count on it.
    await stopClockAt(at.pool, NOW_MS + 5_000);
    expect(await sizesOf(at, await grant(at, wishes))).toEqual([80]);
  });
});
