/** Lanes that are paused, and lanes that nobody needs any more. */
import { describe, expect, test, type TestContext } from 'vitest';
import { openTestRecord } from '../../postgres-fixture.ts';
import { ANSWER, openRecordAtWork, type RecordAtWork } from './a-record-at-work.ts';

const SMALL = 'alpha/small';
const OTHER = 'beta/small';

const open = async (context: TestContext): Promise<RecordAtWork> => {
  const work = await openRecordAtWork(await openTestRecord(context));
  context.onTestFinished(() => work[Symbol.asyncDispose]());
  return work;
};

describe('a paused lane', () => {
  test('is granted nothing, while others of its pool go on', async (context) => {
    const work = await open(context);
    await work.submit(['a'], { pool: 'small' });
    await work.batches.pauseLane(SMALL);
    expect(await work.grant(SMALL)).toEqual({
      slices: [],
      wishPlaces: [],
      stoppedBy: 'paused',
      wakeAtMs: null,
    });
    expect((await work.grant(OTHER)).slices).toHaveLength(1);
  });

  test('gives back what was granted and has not begun, with its quota', async (context) => {
    const work = await open(context);
    await work.submit(['a', 'b', 'c']);
    const [first, ...rest] = (await work.grant(SMALL)).slices.flat();
    await work.begin([first ?? 0]);
    await work.batches.pauseLane(SMALL);
    expect(await work.begin(rest)).toEqual([]);
    const { rows } = await work.pool.query(
      'SELECT state, count(*) FROM request GROUP BY state ORDER BY state',
    );
    expect(rows).toEqual([
      { state: 'granted', count: 1 },
      { state: 'pending', count: 2 },
    ]);
    const uses = await work.pool.query('SELECT grant_id FROM quota_use');
    expect(uses.rows).toEqual([{ grant_id: first }]);
  });

  test('keeps the answers of its calls under way', async (context) => {
    const work = await open(context);
    const { id } = await work.submit(['a']);
    const grantId = await work.grantLine(id, SMALL, 'a');
    await work.runGrant(grantId, async () => {
      await work.batches.pauseLane(SMALL);
      return ANSWER;
    });
    expect(await work.batch(id)).toMatchObject({ succeeded: 1, state: 'completed' });
  });

  test('takes calls again when it is resumed, however often it was paused', async (context) => {
    const work = await open(context);
    await work.submit(['a']);
    await work.batches.pauseLane(SMALL);
    await work.batches.pauseLane(SMALL);
    await work.batches.resumeLane(SMALL);
    expect((await work.grant(SMALL)).slices).toHaveLength(1);
  });

  test('wakes dispatchers when it is resumed', async (context) => {
    const work = await open(context);
    await work.batches.pauseLane(SMALL);
    const client = await work.pool.connect();
    const woken = new Promise<string | undefined>((resolve) => {
      client.on('notification', ({ payload }) => resolve(payload));
    });
    await client.query('LISTEN nightshift_wake');
    await work.batches.resumeLane(SMALL);
    expect(await woken).toBe('*');
    client.release(true);
  });
});

describe('queues that nobody needs any more', () => {
  const LATER = "UPDATE lane_queue SET used_at = used_at - interval '61 min'";

  test('are those of lanes that no worker serves, no batch wants and no grant waits for, for an hour', async (context) => {
    const work = await open(context);
    await work.pool.query(
      "INSERT INTO lane_queue (lane_id) VALUES ('old/one'), ('old/wanted'), ('old/granted'), ($1)",
      [SMALL],
    );
    const { id } = await work.submit(['a', 'b']);
    await work.pool.query("UPDATE pool SET lane_ids = lane_ids || '{old/wanted}' WHERE batch_id = $1", [id]);
    await work.pool.query(
      `INSERT INTO grants (lane_id, provider_id, request_id, prompt_tokens, output_tokens, granted_at_ms)
       SELECT 'old/granted', 'old', min(id), 0, 0, now_ms() FROM request`,
    );
    expect(await work.ledger.forgetUnusedQueues()).toEqual([]);
    await work.pool.query(LATER);
    expect(await work.ledger.forgetUnusedQueues()).toEqual(['old/one']);
    expect(await work.ledger.forgetUnusedQueues()).toEqual([]);
  });

  test('are remembered from the first grant on a lane', async (context) => {
    const work = await open(context);
    await work.submit(['a']);
    await work.grant(SMALL);
    const { rows } = await work.pool.query('SELECT lane_id FROM lane_queue');
    expect(rows).toEqual([{ lane_id: SMALL }]);
  });
});

describe('waits, when the server’s clock is set back by an hour', () => {
  test('are as long as before where they are minutes, and until the same instant where they are for a day', async (context) => {
    const work = await open(context);
    await work.submit(['a', 'b']);
    await work.pool.query(
      `INSERT INTO health (scope, breaker_until_ms, closed_until_ms) VALUES ('alpha/small', now_ms() + 5000, now_ms() + 36000000);
       UPDATE request SET due_at_ms = now_ms() + 30000`,
    );
    const minutesLeft = async (): Promise<unknown> => {
      const { rows } = await work.pool.query<{ left: number[] }>(
        `SELECT ARRAY(SELECT round((t - now_ms()) / 60000.0, 1)::float FROM (
           SELECT breaker_until_ms FROM health UNION ALL SELECT closed_until_ms FROM health UNION ALL SELECT min(due_at_ms) FROM request) AS w (t)) AS left`,
      );
      return rows[0]?.left;
    };
    expect(await minutesLeft()).toEqual([0.1, 600, 0.5]);
    await work.pool.query('UPDATE clock SET origin_ms = origin_ms - 3600000');
    await work.pool.query('SELECT allow_for_step(-3600000, steps) FROM clock');
    expect(await minutesLeft()).toEqual([0.1, 660, 0.5]);
  });
});
