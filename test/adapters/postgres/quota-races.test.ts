/** Moments in which two changes of the record meet, one step at a time. */
import type pg from 'pg';
import { describe, expect, test } from 'vitest';
import { postgresGrantLedger } from '../../../src/adapters/postgres/grant-ledger.ts';
import { syncConfiguration } from '../../../src/adapters/postgres/sync-configuration.ts';
import type { FinishedCall, GrantLedger } from '../../../src/app/ledger.ts';
import type { Limit } from '../../../src/core/model.ts';
import { audit, routingOf, stopClockAt, workerOn } from '../../contracts/quota-record.ts';
import { type TestRecord, openTestRecord } from '../../postgres-fixture.ts';
import { waitingForLocks, whileHolding } from './meeting.ts';

const LANES = ['early/one', 'late/one'] as const;
const NOW_MS = Date.parse('2026-11-20T12:00:00Z');

/** Two providers with a lane each; the limits of the first come first in the order of locks. */
const prepare = async (
  { pool }: TestRecord,
  limits: readonly Limit[] = [],
): Promise<{ readonly ledger: GrantLedger; readonly grantOn: (laneId: string) => Promise<number> }> => {
  const scopes = [
    ...['early', 'late'].map((id) => ({ id, limits: [], concurrency: null })),
    ...LANES.map((id) => ({ id, limits, concurrency: 4 })),
  ];
  const routing = routingOf(scopes, LANES);
  const ledger = postgresGrantLedger(pool);
  await stopClockAt(pool, NOW_MS);
  await syncConfiguration(pool, routing, new Map());
  await pool.query(
    `INSERT INTO batch (identity, name, created_at_ms, total) VALUES ('race', 'race', now_ms(), 1)`,
  );
  await pool.query(`INSERT INTO pool SELECT id, 'both', $1 FROM batch`, [LANES]);
  await addWorker(pool);
  const grantOn = async (laneId: string): Promise<number> => {
    const lane = routing.lane(laneId);
    if (lane === undefined) throw new Error(`Expected a lane, got ${laneId}.`);
    const [grant] = (
      await ledger.grant({ lane, targetTokens: 1_000, wishes: null, atMost: 1 })
    ).slices.flat();
    if (grant === undefined) throw new Error(`Expected a grant on ${laneId}, got none.`);
    return grant;
  };
  return { ledger, grantOn };
};

const addRequest = async (pool: pg.Pool, promptTokens = 10): Promise<void> => {
  await pool.query(
    `INSERT INTO request (batch_id, line_number, custom_id, line, route_id, prompt_tokens, output_tokens, state)
     SELECT id, 1, 'line', '{}', intern_route(id, 'both', '{}'), $1, 0, 'pending' FROM batch`,
    [promptTokens],
  );
};

/** A worker with slots on both lanes. */
const addWorker = async (pool: pg.Pool): Promise<number> => {
  const { lanes } = workerOn(LANES, 8);
  const { rows } = await pool.query<{ id: number }>(
    `WITH joined AS (
       INSERT INTO process (host, pid, started_at_ms, roles, config_hash, limits)
       VALUES ('here', 1, now_ms(), '{worker}', 'test', '[]') RETURNING id
     ), serves AS (
       INSERT INTO worker_lane (worker_id, lane_id, slots, lane, provider)
       SELECT joined.id, s.lane ->> 'id', 8, s.lane, s.provider
       FROM joined, jsonb_to_recordset($1::jsonb) AS s (lane jsonb, provider jsonb)
     )
     SELECT id FROM joined`,
    [JSON.stringify(lanes)],
  );
  return rows[0]?.id ?? 0;
};

const finished = (grantId: number, next: FinishedCall['next']): FinishedCall => ({
  grantId,
  outcome: next.kind === 'succeeded' ? 'succeeded' : 'sick',
  reason: null,
  usage: null,
  sentAtMs: null,
  durationMs: null,
  settlement: 'estimate',
  countsAsTry: true,
  next,
  excluded: [],
  avoided: [],
  droppedParameters: [],
  outputCapTokens: null,
  told: null,
});

const SUCCEEDED = { kind: 'succeeded', line: '{}' } as const;
const PENDING = { kind: 'pending', avoidUntilMs: null } as const;

/** A grant whose worker was taken for dead, and the one that took its place. */
const lostAndItsSuccessor = async (
  { pool }: TestRecord,
  { ledger, grantOn }: Awaited<ReturnType<typeof prepare>>,
): Promise<readonly [number, number]> => {
  await addRequest(pool);
  const lost = await grantOn(LANES[0]);
  await ledger.begin([lost], await addWorker(pool));
  await pool.query('DELETE FROM process');
  await ledger.sweep();
  await addWorker(pool);
  const successor = await grantOn(LANES[1]);
  await ledger.begin([successor], await addWorker(pool));
  return [lost, successor];
};

describe('the record, where two changes meet', () => {
  test('sweeps without a deadlock while calls on the same lanes finish', async (context) => {
    const record = await openTestRecord(context);
    const { pool } = record;
    const { ledger, grantOn } = await prepare(record);
    for (let line = 0; line < 4; line += 1) await addRequest(pool);
    const ending = [await grantOn(LANES[0]), await grantOn(LANES[1])];
    await ledger.begin(ending, await addWorker(pool));
    const lost = await grantOn(LANES[1]);
    await ledger.begin([lost], await addWorker(pool));
    await grantOn(LANES[0]);
    await stopClockAt(pool, NOW_MS + 1);
    const meeting = whileHolding(pool, `SELECT FROM quota_limit WHERE scope = 'early/one' FOR UPDATE`, [
      () => ledger.finish(ending.map((grant) => finished(grant, SUCCEEDED))),
      () => pool.query('SELECT sweep(1e9, 0)'),
    ]);
    await expect(meeting).resolves.toBeUndefined();
    await audit(pool);
  });

  test('keeps a late success although the call that replaced it ends otherwise at the same moment', async (context) => {
    const record = await openTestRecord(context);
    const night = await prepare(record);
    const [lost, successor] = await lostAndItsSuccessor(record, night);
    await whileHolding(record.pool, 'SELECT FROM request FOR UPDATE', [
      () => night.ledger.finish([finished(lost, SUCCEEDED)]),
      () => night.ledger.finish([finished(successor, PENDING)]),
    ]);
    const { rows } = await record.pool.query('SELECT state FROM request');
    expect(rows).toEqual([{ state: 'succeeded' }]);
  });

  test('counts a request once when two of its calls end in one go', async (context) => {
    const record = await openTestRecord(context);
    const night = await prepare(record);
    const [lost, successor] = await lostAndItsSuccessor(record, night);
    await night.ledger.finish([finished(lost, SUCCEEDED), finished(successor, SUCCEEDED)]);
    const { rows } = await record.pool.query(
      'SELECT succeeded, (SELECT count(*) FROM result) AS results FROM batch',
    );
    expect(rows).toEqual([{ succeeded: 1, results: 1 }]);
  });

  test('counts the calls of a lane once, also those that end after they were given up', async (context) => {
    const record = await openTestRecord(context);
    const night = await prepare(record);
    const [lost, successor] = await lostAndItsSuccessor(record, night);
    await night.ledger.finish([finished(successor, SUCCEEDED)]);
    await night.ledger.finish([finished(lost, SUCCEEDED)]);
    const { rows } = await record.pool.query('SELECT lane_id, calls FROM lane_total ORDER BY lane_id');
    expect(rows).toEqual(LANES.map((laneId) => ({ lane_id: laneId, calls: 1 })));
  });

  test('leaves no quota held by a grant of a batch that is removed at that moment', async (context) => {
    const { pool, ...record } = await openTestRecord(context);
    const { grantOn } = await prepare({ pool, ...record });
    await addRequest(pool);
    const holder = await pool.connect();
    await holder.query('BEGIN');
    await holder.query('SELECT FROM batch FOR KEY SHARE');
    const removal = pool.query('SELECT remove_batch(id) FROM batch');
    await waitingForLocks(pool, 1);
    await grantOn(LANES[0]).catch(() => 'nothing left to grant');
    await holder.query('COMMIT');
    holder.release();
    await removal;
    const { rows } = await pool.query('SELECT grant_id FROM quota_use WHERE expires_at_ms IS NULL');
    expect(rows).toEqual([]);
  });

  test('removes a batch without a deadlock while a late answer of it is told', async (context) => {
    const record = await openTestRecord(context);
    const { pool } = record;
    const { ledger, grantOn } = await prepare(record);
    for (let line = 0; line < 2; line += 1) await addRequest(pool);
    const [late, open] = [await grantOn(LANES[0]), await grantOn(LANES[0])];
    await ledger.begin([late, open], await addWorker(pool));
    await pool.query('SELECT close_lost_grants($1)', [[late]]);
    const meeting = whileHolding(pool, `SELECT FROM quota_limit WHERE scope = 'early/one' FOR UPDATE`, [
      () => ledger.finish([late, open].map((grant) => finished(grant, SUCCEEDED))),
      () => pool.query('SELECT remove_batch(id) FROM batch'),
    ]);
    await expect(meeting).resolves.toBeUndefined();
    await audit(pool);
  });

  test('takes up a limit of anchored months while a grant has not begun', async (context) => {
    const record = await openTestRecord(context);
    const { grantOn } = await prepare(record);
    await addRequest(record.pool);
    await grantOn(LANES[0]);
    const window = { kind: 'fixed-month', anchorAtMs: NOW_MS, timeZone: 'UTC' } as const;
    const scopes = [
      { id: 'early', limits: [], concurrency: null },
      { id: LANES[0], limits: [{ metric: 'requests', amount: 5, window } as const], concurrency: 4 },
    ];
    await syncConfiguration(record.pool, routingOf(scopes, [LANES[0]]), new Map());
    await audit(record.pool);
    const { rows } = await record.pool.query(
      `SELECT used FROM quota_limit WHERE window_kind = 'fixed-month'`,
    );
    expect(rows).toEqual([{ used: 1 }]);
  });

  test('says when a bucket will be full that lacks the last fraction of a token, or grants', async (context) => {
    const record = await openTestRecord(context);
    const { pool } = record;
    const window = { kind: 'refill', perMs: 10_000 } as const;
    await prepare(record, [{ metric: 'requests', amount: 1, window }]);
    const waitMs = async (debt: number): Promise<number | null> => {
      await pool.query(
        `UPDATE quota_limit SET debt = $1, drained_at_ms = $2 WHERE scope = 'early/one' AND metric = 'requests'`,
        [debt, NOW_MS],
      );
      const { rows } = await pool.query<{ room: number; wait_ms: number | null }>(
        `SELECT floor(amount - used - debt) AS room, room_at_ms(ARRAY[scope], 10, 0, measure_of(scope, 1000), $1) - $1 AS wait_ms
         FROM quota_limit WHERE scope = 'early/one' AND metric = 'requests'`,
        [NOW_MS],
      );
      return rows[0]?.room === 1 ? 0 : (rows[0]?.wait_ms ?? null);
    };
    // 0.3 is a hair more in binary, and instants are rounded up.
    expect([await waitMs(0.3), await waitMs(8e-17), await waitMs(1e-17)]).toEqual([3_001, 1, 0]);
  });
});
