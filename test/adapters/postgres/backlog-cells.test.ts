import { describe, expect, test, type TestContext } from 'vitest';
import { BAND_STARTS, postgresBacklogCells } from '../../../src/adapters/postgres/backlog-cells.ts';
import { bandOf, bandRange } from '../../../src/core/plan/bands.ts';
import { openTestRecord, type TestRecord } from '../../postgres-fixture.ts';

/** A batch with two routes, 1 and 2, and no requests yet. */
const openBacklog = async (context: TestContext): Promise<TestRecord> => {
  const record = await openTestRecord(context);
  await record.pool.query(
    `INSERT INTO batch (identity, name, created_at_ms, total) VALUES ('cells', 'cells', 0, 1e6)`,
  );
  await record.pool.query(
    `INSERT INTO pool (batch_id, name, lane_ids) VALUES (1, 'small', '{alpha/small,beta/small}')`,
  );
  await record.pool.query(`SELECT intern_route(1, 'small', '{}'), intern_route(1, 'small', '{beta}')`);
  return record;
};

/** Requests whose prompts have these tokens. */
const add = async (
  { pool }: TestRecord,
  routeId: number,
  promptTokens: readonly number[],
  { cap = 320, isAsked = false, state = 'pending' } = {},
): Promise<void> => {
  await pool.query(
    `INSERT INTO request (batch_id, line_number, line, route_id, prompt_tokens, output_tokens, output_is_asked, state)
     SELECT 1, 1, '', $1, t, $3, $4, $5 FROM unnest($2::integer[]) AS t`,
    [routeId, promptTokens, cap, isAsked, state],
  );
};

describe('the bands of the record', () => {
  test('are those of core at both sides of every edge', async (context) => {
    const { pool } = await openTestRecord(context);
    const prompts = BAND_STARTS.flatMap((start) => [start - 1, start, start + 1]).filter(
      (tokens) => tokens >= 0 && tokens < 2 ** 31,
    );
    const { rows } = await pool.query<{ tokens: number; band: number }>(
      'SELECT t AS tokens, width_bucket(t, $1::integer[]) - 1 AS band FROM unnest($2::integer[]) AS t',
      [BAND_STARTS, [...prompts, 2 ** 31 - 1]],
    );
    expect(rows.length).toBeGreaterThan(250);
    expect(rows.filter(({ tokens, band }) => band !== bandOf(tokens))).toEqual([]);
  });

  test('are those of core for all prompts up to 2^20 tokens', async (context) => {
    const { pool } = await openTestRecord(context);
    const { rows } = await pool.query<{ band: number; least: number; most: number }>(
      `SELECT width_bucket(t, $1::integer[]) - 1 AS band, min(t) AS least, max(t) AS most
       FROM generate_series(0, 1048576) AS t GROUP BY 1 ORDER BY 1`,
      [BAND_STARTS],
    );
    for (const { band, least, most } of rows.slice(0, -1)) {
      expect([bandOf(least), bandOf(most), bandOf(most + 1) > band]).toEqual([band, band, true]);
      expect(bandRange(band)).toEqual({ fromTokens: least, toTokens: most });
    }
    expect(rows).toHaveLength(
      new Set(Array.from({ length: 2 ** 20 + 1 }, (_, tokens) => bandOf(tokens))).size,
    );
  });
});

describe('the backlog', () => {
  test('is counted by route, bound of the answer and band, with the tokens of all prompts', async (context) => {
    const record = await openBacklog(context);
    await add(record, 1, [100, 101, 120]);
    await add(record, 1, [5_000], { cap: 64, isAsked: true });
    await add(record, 2, [0, 100]);
    await add(record, 2, [100], { state: 'granted' });
    const cells = await postgresBacklogCells(record.pool).read([1, 2]);
    expect(cells).toEqual([
      {
        routeId: 1,
        outputIsAsked: false,
        capTokens: 320,
        fromTokens: 80,
        toTokens: 100,
        count: 1,
        promptTokens: 100,
        largestTokens: 100,
      },
      {
        routeId: 1,
        outputIsAsked: false,
        capTokens: 320,
        fromTokens: 101,
        toTokens: 126,
        count: 2,
        promptTokens: 221,
        largestTokens: 120,
      },
      {
        routeId: 1,
        outputIsAsked: true,
        capTokens: 64,
        fromTokens: 4_095,
        toTokens: 5_159,
        count: 1,
        promptTokens: 5_000,
        largestTokens: 5_000,
      },
      {
        routeId: 2,
        outputIsAsked: false,
        capTokens: 320,
        fromTokens: 0,
        toTokens: 0,
        count: 1,
        promptTokens: 0,
        largestTokens: 0,
      },
      {
        routeId: 2,
        outputIsAsked: false,
        capTokens: 320,
        fromTokens: 80,
        toTokens: 100,
        count: 1,
        promptTokens: 100,
        largestTokens: 100,
      },
    ]);
    expect(await postgresBacklogCells(record.pool).read([])).toEqual([]);
  });

  test('is counted again only after twenty times as long as it took', async (context) => {
    const record = await openBacklog(context);
    await add(record, 1, [100]);
    let nowMs = 0;
    // Each look at the clock takes 10 ms, so that counting takes as long.
    const backlog = postgresBacklogCells(record.pool, () => (nowMs += 10));
    const counts = async (): Promise<readonly number[]> =>
      (await backlog.read([1, 2])).map(({ count }) => count);
    expect(await counts()).toEqual([1]);
    await add(record, 1, [100]);
    nowMs += 100;
    expect(await counts()).toEqual([1]);
    expect(backlog.ageMs(1)).toBeGreaterThan(100);
    nowMs += 100;
    expect(await counts()).toEqual([2]);
    expect(backlog.ageMs(1)).toBeLessThan(50);
    expect(backlog.ageMs(7)).toBe(0);
  });

  test('of a large route rests without the others, and a new one is counted at once', async (context) => {
    const record = await openBacklog(context);
    await add(
      record,
      1,
      Array.from({ length: 10_001 }, () => 100),
    );
    let nowMs = 0;
    const backlog = postgresBacklogCells(record.pool, () => (nowMs += 10));
    const countOf = async (routeIds: readonly number[]): Promise<Readonly<Record<number, number>>> =>
      Object.fromEntries((await backlog.read(routeIds)).map(({ routeId, count }) => [routeId, count]));
    expect(await countOf([1])).toEqual({ 1: 10_001 });
    await add(record, 1, [100]);
    await add(record, 2, [100]);
    expect(await countOf([1, 2])).toEqual({ 1: 10_001, 2: 1 });
    expect(await countOf([2])).toEqual({ 2: 1 });
    expect(await countOf([1, 2])).toEqual({ 1: 10_002, 2: 1 });
  });
});
