/** Who is at work, as the record knows it. */
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test, type TestContext } from 'vitest';
import { announcementOf } from '../../../src/app/announce.ts';
import { postgresProcessRegistry } from '../../../src/adapters/postgres/process-registry.ts';
import type { Announcement, Seat } from '../../../src/app/process-registry.ts';
import { aLane, aProvider, routingFor } from '../../app/fakes.ts';
import { openTestRecord } from '../../postgres-fixture.ts';

const SMALL = aLane('alpha/small', { concurrency: 2 });
const LARGE = aLane('alpha/large', { concurrency: 3 });
const PROVIDER = aProvider([SMALL, LARGE], { concurrency: 4 });
const ROUTING = routingFor([PROVIDER]);
const WORKER = announcementOf({ roles: ['worker'], routing: ROUTING, configHash: 'one' });
const DISPATCHER = announcementOf({ roles: ['dispatcher'], routing: ROUTING, configHash: 'two' });
/** Longer than two heartbeats. */
const PATIENCE_MS = 10_000;

const until = async (isSo: () => boolean | Promise<boolean>): Promise<void> => {
  for (const deadlineMs = Date.now() + PATIENCE_MS; !(await isSo()); await delay(20)) {
    if (Date.now() > deadlineMs)
      throw new Error(`Expected it within ${PATIENCE_MS} ms, but it did not happen.`);
  }
};

/** The registry of a new record; seats that are taken here are left when the test is over. */
const open = async (context: TestContext) => {
  const { address, pool } = await openTestRecord(context);
  const registry = postgresProcessRegistry(address, pool, () => {});
  const seats: Seat[] = [];
  context.onTestFinished(async () => {
    for (const seat of seats) await seat.leave();
  });
  const join = async (announcement: Announcement): Promise<Seat> => {
    const seat = await registry.join(announcement);
    seats.push(seat);
    return seat;
  };
  return { pool, registry, join };
};

describe('seats', () => {
  test('a process that was given up for dead while it slept takes a new seat, with its lanes', async (context) => {
    const { pool, join } = await open(context);
    const seat = await join(WORKER);
    const before = seat.id;
    await pool.query('DELETE FROM process WHERE id = $1', [before]);
    await until(() => seat.id !== before);
    const { rows } = await pool.query(
      'SELECT worker_id, lane_id, slots FROM worker_lane ORDER BY lane_id DESC',
    );
    expect(rows).toEqual([
      { worker_id: seat.id, lane_id: 'alpha/small', slots: 2 },
      { worker_id: seat.id, lane_id: 'alpha/large', slots: 3 },
    ]);
  });

  test('a sweep spares a process that is silent but holds its lock, and gives one without it time to come back', async (context) => {
    const { pool, join } = await open(context);
    const seat = await join(WORKER);
    await pool.query("UPDATE process SET heartbeat_at = heartbeat_at - interval '1 minute'");
    const { rows } = await pool.query<{ id: number }>(
      `INSERT INTO process (host, pid, started_at_ms, roles, config_hash, limits)
       VALUES ('elsewhere', 1, now_ms(), '{worker}', '', '[]') RETURNING id`,
    );
    const unlocked = rows[0]?.id ?? 0;
    await pool.query('SELECT sweep(600, 30)');
    const after = await pool.query(
      'SELECT id, unlocked_at IS NOT NULL AS is_unlocked FROM process ORDER BY id',
    );
    expect(after.rows).toEqual([
      { id: seat.id, is_unlocked: false },
      { id: unlocked, is_unlocked: true },
    ]);
  });

  test('a sweep takes a process at once that is known to be gone, or is silent for too long', async (context) => {
    const { pool, join } = await open(context);
    const seat = await join(WORKER);
    await pool.query(
      `INSERT INTO process (host, pid, started_at_ms, roles, config_hash, limits, heartbeat_at)
       VALUES ('gone', 1, 0, '{}', '', '[]', now()), ('silent', 1, 0, '{}', '', '[]', now() - interval '11 minutes')`,
    );
    await pool.query("SELECT sweep(600, 30, ARRAY(SELECT id FROM process WHERE host = 'gone'))");
    const { rows } = await pool.query('SELECT id FROM process');
    expect(rows).toEqual([{ id: seat.id }]);
  });

  test('a process whose connection is cut takes its own seat again', async (context) => {
    const { pool, join } = await open(context);
    const seat = await join(WORKER);
    const before = seat.id;
    const cut = `SELECT pid, pg_terminate_backend(pid) FROM pg_locks
      WHERE locktype = 'advisory' AND classid = 7316 AND objid = $1::integer::oid
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;
    const { rows } = await pool.query<{ pid: number }>(cut, [before]);
    await pool.query('SELECT sweep(600, 30)');
    await until(async () => {
      const held = await pool.query(
        `SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = 7316 AND objid = $1::integer::oid AND pid <> $2`,
        [before, rows[0]?.pid],
      );
      return held.rows.length === 1;
    });
    expect(seat.id).toBe(before);
    await pool.query('SELECT sweep(600, 30)');
    const after = await pool.query('SELECT id, unlocked_at FROM process');
    expect(after.rows).toEqual([{ id: before, unlocked_at: null }]);
  });

  test('a process that leaves is gone at once, with its lanes', async (context) => {
    const { pool, registry } = await open(context);
    const seat = await registry.join(WORKER);
    await seat.leave();
    expect(await registry.processes()).toEqual([]);
    const { rows } = await pool.query('SELECT FROM worker_lane');
    expect(rows).toEqual([]);
  });
});

describe('processes', () => {
  test('say what they announced, dispatchers without lanes', async (context) => {
    const { registry, join } = await open(context);
    const worker = await join(WORKER);
    const dispatcher = await join(DISPATCHER);
    expect(await registry.processes()).toMatchObject([
      {
        id: worker.id,
        pid: process.pid,
        roles: ['worker'],
        configHash: 'one',
        limits: WORKER.limits,
        laneIds: ['alpha/large', 'alpha/small'],
        startedAtMs: expect.any(Number),
        host: expect.any(String),
      },
      { id: dispatcher.id, roles: ['dispatcher'], configHash: 'two', laneIds: [] },
    ]);
  });

  test('that are silent for longer than 15 s are not counted on', async (context) => {
    const { pool, registry, join } = await open(context);
    const silent = await join(WORKER);
    const lively = await join(DISPATCHER);
    await pool.query("UPDATE process SET heartbeat_at = heartbeat_at - interval '16 s' WHERE id = $1", [
      silent.id,
    ]);
    expect((await registry.processes()).map(({ id }) => id)).toEqual([lively.id]);
    expect(await registry.servedLanes()).toEqual([]);
  });
});

describe('served lanes', () => {
  test('are those of live workers, with all that a dispatcher needs and without other lanes', async (context) => {
    const { registry, join } = await open(context);
    await join(DISPATCHER);
    expect(await registry.servedLanes()).toEqual([]);
    await join(WORKER);
    const provider = { ...PROVIDER, lanes: [] };
    expect(await registry.servedLanes()).toEqual([
      { lane: LARGE, provider },
      { lane: SMALL, provider },
    ]);
  });

  test('are as the worker that started last has them', async (context) => {
    const { registry, join } = await open(context);
    await join(WORKER);
    const changed = aLane('alpha/small', { concurrency: 9, timeoutMs: 1_000 });
    const routing = routingFor([aProvider([changed], { concurrency: 5 })]);
    await join(announcementOf({ roles: ['worker'], routing, configHash: 'three' }));
    const served = await registry.servedLanes();
    expect(served.map(({ lane, provider }) => [lane.id, lane.concurrency, provider.concurrency])).toEqual([
      ['alpha/large', 3, 4],
      ['alpha/small', 9, 5],
    ]);
  });
});

describe('wanted lanes', () => {
  test('are those that a batch in progress may use, unless it is paused', async (context) => {
    const { pool, registry } = await open(context);
    await pool.query(
      `INSERT INTO batch (identity, name, created_at_ms, total, state, is_paused) VALUES
         ('a', 'a', 0, 1, 'in_progress', false), ('b', 'b', 0, 1, 'in_progress', true),
         ('c', 'c', 0, 1, 'cancelling', false), ('d', 'd', 0, 1, 'in_progress', false)`,
    );
    await pool.query(
      `INSERT INTO pool (batch_id, name, lane_ids)
       SELECT id, 'p', ARRAY['shared/lane', name || '/lane'] FROM batch`,
    );
    expect([...(await registry.wantedLaneIds())].toSorted()).toEqual(['a/lane', 'd/lane', 'shared/lane']);
  });
});

/** Registries of processes whose keys have these fingerprints; seats that are taken are left at the end. */
const openWith = async (context: TestContext, ...fingerprints: readonly (string | null)[]) => {
  const { address, pool } = await openTestRecord(context);
  const joins = fingerprints.map((fingerprint) => {
    const registry = postgresProcessRegistry(
      address,
      pool,
      () => {},
      () => fingerprint,
    );
    return async (announcement: Announcement = WORKER): Promise<Seat> => {
      const seat = await registry.join(announcement);
      context.onTestFinished(() => seat.leave());
      return seat;
    };
  });
  const count = async (): Promise<number> => (await pool.query('SELECT FROM process')).rows.length;
  return { pool, joins, count };
};

describe('a second key for a free provider', () => {
  const paid = announcementOf({
    roles: ['worker'],
    routing: routingFor([{ ...PROVIDER, tier: 'paid' }]),
    configHash: 'paid',
  });

  test('is refused with the process that has the first, and leaves nothing behind', async (context) => {
    const { joins, count } = await openWith(context, 'one', 'two');
    await joins[0]?.();
    await expect(joins[1]?.()).rejects.toThrow(
      new RegExp(
        `^Expected the key for alpha that process ${process.pid} on .+ \\(worker\\).*got another one`,
        'u',
      ),
    );
    expect(await count()).toBe(1);
  });

  test('is none if it is the same key, or one for a provider that is paid or makes no calls', async (context) => {
    const { joins, count } = await openWith(context, 'one', 'one', 'two', null);
    await joins[0]?.();
    await joins[1]?.();
    await joins[2]?.(DISPATCHER);
    await joins[2]?.(paid);
    await joins[3]?.();
    expect(await count()).toBe(5);
  });

  test('is welcome once the process with the first has left', async (context) => {
    const { joins } = await openWith(context, 'one', 'two');
    await (await joins[0]?.())?.leave();
    await expect(joins[1]?.()).resolves.toMatchObject({ id: expect.any(Number) });
  });

  test('is not refused for a process that died a moment ago, or is silent', async (context) => {
    const { pool, joins } = await openWith(context, 'one', 'two');
    await pool.query(
      `INSERT INTO process (host, pid, started_at_ms, roles, config_hash, limits, key_fingerprints)
       VALUES ('dead', 1, now_ms(), '{worker}', '', '[]', '{"alpha": "three"}')`,
    );
    const silent = await joins[0]?.();
    await pool.query("UPDATE process SET heartbeat_at = heartbeat_at - interval '16 s' WHERE id = $1", [
      silent?.id,
    ]);
    await expect(joins[1]?.()).resolves.toMatchObject({ id: expect.any(Number) });
  });

  test('has one seat of two that come at once', async (context) => {
    const { joins, count } = await openWith(context, 'one', 'two', 'three', 'four');
    const came = await Promise.allSettled(joins.map(async (join) => await join()));
    expect(came.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await count()).toBe(1);
  });
});
