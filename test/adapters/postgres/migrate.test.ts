/** Records that an earlier release made, and functions whose text has changed. */
import { readdir, readFile } from 'node:fs/promises';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import {
  connectRecord,
  type PostgresAddress,
  recordClientConfig,
} from '../../../src/adapters/postgres/connect.ts';
import { migrateRecord } from '../../../src/adapters/postgres/migrate.ts';
import { openTestDatabase, openTestRecord } from '../../postgres-fixture.ts';
import { ANSWER, openRecordAtWork, ROUTING } from './a-record-at-work.ts';

const PREVIOUS = new URL('./previous-release/', import.meta.url);

/**
 * What the previous release left behind: a finished batch, an empty one whose files were just being written, one with
 * a line in every state, a worker that died in the middle of a call, and quota in use.
 */
const LEFT_BEHIND = `
  INSERT INTO batch (identity, name, created_at_ms, completed_at_ms, state, total, succeeded, failed, pool_names, output_path, error_path) VALUES
    ('done', 'done', 1000, 2000, 'completed', 2, 1, 1, '{small}', '/done.jsonl', '/done.errors.jsonl'),
    ('almost', 'almost', 1000, NULL, 'finalizing', 1, 1, 0, '{small}', '/almost.jsonl', '/almost.errors.jsonl'),
    ('open', 'open', 1000, NULL, 'in_progress', 6, 1, 1, '{alone}', '/open.jsonl', '/open.errors.jsonl');
  UPDATE batch SET bad = 1 WHERE name = 'open';
  INSERT INTO pool (batch_id, name, lane_ids)
    SELECT id, pool_names[1], '{alpha/small}' FROM batch;
  INSERT INTO worker (host, pid, started_at_ms) VALUES ('there', 7, 1000);
  INSERT INTO worker_lane (worker_id, lane_id, slots) SELECT id, 'alpha/small', 4 FROM worker;
  INSERT INTO request (batch_id, line_number, custom_id, line, route_id, prompt_tokens, output_tokens, state, due_at_ms)
    SELECT b.id, l.number, b.name || '-' || l.number, l.line, CASE WHEN l.state <> 'bad' THEN intern_route(b.id, b.pool_names[1], '{}') END,
      10, 20, l.state, CASE WHEN l.state = 'parked' THEN 1 END
    FROM batch b JOIN (VALUES
      ('done', 1, 'succeeded', '{}'), ('done', 2, 'failed', '{}'), ('almost', 1, 'succeeded', '{}'),
      ('open', 1, 'succeeded', '{}'), ('open', 2, 'failed', '{}'), ('open', 3, 'bad', '{"custom_id":"open-3"}'),
      ('open', 4, 'granted', '{"custom_id":"open-4","method":"POST","url":"/v1/chat/completions","body":{"messages":[{"role":"user","content":"Say yes."}]}}'),
      ('open', 5, 'parked', '{}'), ('open', 6, 'pending', '{}')
    ) AS l (name, number, state, line) ON l.name = b.name;
  INSERT INTO result (request_id, batch_id, succeeded, line)
    SELECT id, batch_id, state = 'succeeded', '{"custom_id":"' || custom_id || '"}' FROM request WHERE state IN ('succeeded', 'failed');
  INSERT INTO quota_limit (scope, metric, window_kind, margin_ms, amount, used) VALUES ('alpha/small', 'calls', 'concurrency', 0, 4, 1);
  INSERT INTO grants (lane_id, provider_id, request_id, prompt_tokens, output_tokens, state, worker_id, granted_at_ms, begun_at_ms)
    SELECT 'alpha/small', 'alpha', r.id, 10, 20, 'begun', w.id, 1000, 1001 FROM request r, worker w WHERE r.state = 'granted';
  UPDATE request SET grant_id = (SELECT id FROM grants) WHERE state = 'granted';
  INSERT INTO quota_use (limit_id, grant_id, amount) SELECT l.id, g.id, 1 FROM quota_limit l, grants g;
  INSERT INTO lane_total (lane_id, calls, succeeded) VALUES ('alpha/small', 5, 3);
`;

/** Makes the record as the previous release did. */
const makePreviousRecord = async (address: PostgresAddress): Promise<void> => {
  const client = new pg.Client(recordClientConfig(address));
  await client.connect();
  try {
    await client.query('CREATE SCHEMA nightshift');
    await client.query(
      'CREATE TABLE migration (name text PRIMARY KEY, applied_at timestamptz DEFAULT now())',
    );
    for (const name of (await readdir(PREVIOUS)).toSorted()) {
      await client.query(await readFile(new URL(name, PREVIOUS), 'utf8'));
      await client.query('INSERT INTO migration (name) VALUES ($1)', [name]);
    }
    await client.query(LEFT_BEHIND);
  } finally {
    await client.end();
  }
};

describe('a record of the previous release', () => {
  test('is brought to today, where its finished batches stay and the others go on', async (context) => {
    const { address } = await openTestDatabase(context);
    await makePreviousRecord(address);
    await migrateRecord(address);
    const pool = connectRecord(address, () => undefined);
    const work = await openRecordAtWork({ pool, address }, ROUTING);
    context.onTestFinished(async () => {
      await work[Symbol.asyncDispose]();
      await pool.end();
    });
    const { batches } = work;
    expect((await batches.status('done')).progress.batch).toMatchObject({
      state: 'completed',
      completedAtMs: 2_000,
      isPaused: false,
      cancelled: 0,
    });
    expect((await batches.status('almost')).progress.batch).toMatchObject({
      state: 'completed',
      completedAtMs: expect.any(Number),
    });
    const { id } = (await batches.status('open')).progress.batch;
    expect(await work.batch(id)).toMatchObject({
      state: 'in_progress',
      total: 6,
      bad: 1,
      succeeded: 1,
      failed: 1,
    });

    await work.ledger.sweep();
    const { rows } = await pool.query(
      'SELECT custom_id, state FROM request WHERE batch_id = $1 ORDER BY line_number',
      [id],
    );
    expect(rows.slice(3)).toEqual([
      { custom_id: 'open-4', state: 'pending' },
      { custom_id: 'open-5', state: 'pending' },
      { custom_id: 'open-6', state: 'pending' },
    ]);
    const [begun] = await work.begin([await work.grantLine(id, 'alpha/small', 'open-4')]);
    expect(begun?.trail).toMatchObject([{ outcome: 'lost', isBeforeRetry: false }]);
    await work.runGrant(begun?.grantId ?? 0, ANSWER);
    expect(await work.finalLine(id, 'open-4')).toMatchObject({
      nightshift: { attempts: [{ outcome: 'lost' }, { outcome: 'succeeded' }] },
    });
    expect(await work.batches.cancel('open')).toMatchObject({
      state: 'cancelled',
      succeeded: 2,
      cancelled: 2,
    });
    const { rows: limits } = await pool.query(
      "SELECT used FROM quota_limit WHERE metric = 'calls' AND used <> 0",
    );
    expect(limits).toEqual([]);
  });

  test('wants the lanes of its unfinished batches, and no others', async (context) => {
    const { address } = await openTestDatabase(context);
    await makePreviousRecord(address);
    await migrateRecord(address);
    const pool = connectRecord(address, () => undefined);
    context.onTestFinished(() => pool.end());
    const { rows } = await pool.query('SELECT b.name FROM pool p JOIN batch b ON b.id = p.batch_id');
    expect(rows).toEqual([{ name: 'open' }]);
  });

  test('gives its failed lines a second chance', async (context) => {
    const { address } = await openTestDatabase(context);
    await makePreviousRecord(address);
    await migrateRecord(address);
    const pool = connectRecord(address, () => undefined);
    const work = await openRecordAtWork({ pool, address }, ROUTING);
    context.onTestFinished(async () => {
      await work[Symbol.asyncDispose]();
      await pool.end();
    });
    const { batch, lines } = await work.batches.retry('done', { pool: null });
    expect([lines, batch.state, batch.failed]).toEqual([1, 'in_progress', 0]);
    expect((await work.grant('beta/small')).slices).toHaveLength(1);
  });

  test('has the same tables and functions as one that is made today', async (context) => {
    const { address } = await openTestDatabase(context);
    await makePreviousRecord(address);
    await migrateRecord(address);
    const old = await shapeOf(address);
    await dropRecord(address);
    await migrateRecord(address);
    expect(old).toEqual(await shapeOf(address));
  });
});

/** Columns, constraints, indexes and functions. */
const shapeOf = async (address: PostgresAddress): Promise<unknown> => {
  const client = new pg.Client(recordClientConfig(address));
  await client.connect();
  try {
    const { rows } = await client.query(
      `SELECT 'column' AS kind, table_name || '.' || column_name AS name,
         concat_ws(' ', data_type, is_nullable, column_default) AS text
       FROM information_schema.columns WHERE table_schema = 'nightshift'
       UNION ALL
       SELECT 'constraint', conname, pg_get_constraintdef(oid) FROM pg_constraint
       WHERE connamespace = 'nightshift'::regnamespace
       UNION ALL SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = 'nightshift'
       UNION ALL
       SELECT 'function', proname, pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'nightshift'::regnamespace
       ORDER BY 1, 2, 3`,
    );
    return rows;
  } finally {
    await client.end();
  }
};

const dropRecord = async (address: PostgresAddress): Promise<void> => {
  const client = new pg.Client({ ...address });
  await client.connect();
  try {
    await client.query('DROP SCHEMA nightshift CASCADE');
  } finally {
    await client.end();
  }
};

describe('the functions of a record', () => {
  test('are replaced when their text has changed, however many there were', async (context) => {
    const { address, pool } = await openTestRecord(context);
    const before = await shapeOf(address);
    await pool.query(
      `CREATE OR REPLACE FUNCTION wake_dispatchers(provider text) RETURNS void LANGUAGE sql AS 'SELECT NULL::void';
       CREATE FUNCTION left_over() RETURNS void LANGUAGE sql AS 'SELECT NULL::void';
       UPDATE function_set SET hash = 'of another text'`,
    );
    await migrateRecord(address);
    expect(await shapeOf(address)).toEqual(before);
  });

  test('are left alone when it has not', async (context) => {
    const { address, pool } = await openTestRecord(context);
    const oids = "SELECT oid FROM pg_proc WHERE pronamespace = 'nightshift'::regnamespace ORDER BY oid";
    const { rows: before } = await pool.query(oids);
    await migrateRecord(address);
    const { rows: after } = await pool.query(oids);
    expect(after).toEqual(before);
  });

  test('are replaced under processes at work, which go on with the new ones', async (context) => {
    const record = await openTestRecord(context);
    const work = await openRecordAtWork(record);
    context.onTestFinished(() => work[Symbol.asyncDispose]());
    const { id } = await work.submit(['a', 'b']);
    await work.call(id, 'alpha/small', 'a', ANSWER);
    await record.pool.query("UPDATE function_set SET hash = 'of another text'");
    await migrateRecord(record.address);
    await work.call(id, 'alpha/small', 'b', ANSWER);
    expect(await work.batch(id)).toMatchObject({ state: 'completed', succeeded: 2 });
  });
});

describe('a record', () => {
  test('is made once by processes that start together', async (context) => {
    const { address } = await openTestDatabase(context);
    await Promise.all([1, 2, 3, 4].map(() => migrateRecord(address)));
    const pool = connectRecord(address, () => undefined);
    context.onTestFinished(() => pool.end());
    const { rows } = await pool.query(
      'SELECT length(id) AS length, key_salt <> $1 AS salted FROM installation',
      [''],
    );
    expect(rows).toEqual([{ length: 8, salted: true }]);
  });

  test('of a newer release is refused, with the way out', async (context) => {
    const { address, pool } = await openTestRecord(context);
    await pool.query("INSERT INTO migration (name) VALUES ('9999-future.sql')");
    await expect(migrateRecord(address)).rejects.toThrow(
      /newer migration 9999-future\.sql\. Update Nightshift/u,
    );
  });
});
