/** The stores that BullMQ may keep its queues in, opened for a test. */
import type { TestContext } from 'vitest';
import { type BoardableQueues, openLaneQueues } from '../../../src/adapters/bullmq/lane-queues.ts';
import { openPostgresBackend } from '../../../src/adapters/bullmq/postgres-backend.ts';
import { openRedisBackend, type RedisBackend } from '../../../src/adapters/bullmq/redis-backend.ts';
import { recordingLog, type RecordingLog } from '../../app/fakes.ts';
import { openTestDatabase } from '../../postgres-fixture.ts';
import { openTestRedis, type TestRedis } from '../../redis-fixture.ts';

/** Queues that close when the test is over, and what they logged. */
export interface OpenedQueues {
  readonly queues: BoardableQueues;
  readonly log: RecordingLog;
}

/** Queues in an empty database. `rate` is that of the record's clock. */
export const openOnPostgres = async (context: TestContext, rate = 1): Promise<OpenedQueues> => {
  const { address } = await openTestDatabase(context);
  const log = recordingLog();
  await using stack = new AsyncDisposableStack();
  const backend = stack.use(await openPostgresBackend(address, () => {}));
  const queues = stack.use(openLaneQueues(backend, log, rate));
  const opened = stack.move();
  context.onTestFinished(() => opened.disposeAsync());
  return { queues, log };
};

/** Queues in an empty Redis, which is of this test alone. */
export const openOnRedis = async (
  context: TestContext,
  rate = 1,
  prefix = 'nightshift-test',
): Promise<OpenedQueues & { readonly redis: TestRedis; readonly backend: RedisBackend }> => {
  const redis = await openTestRedis(context);
  const log = recordingLog();
  await using stack = new AsyncDisposableStack();
  const backend = stack.use(await openRedisBackend({ url: redis.url, prefix }, () => {}));
  const queues = stack.use(openLaneQueues(backend, log, rate));
  const opened = stack.move();
  context.onTestFinished(() => opened.disposeAsync());
  return { queues, log, redis, backend };
};
