/** The board in a bare express app, on a port of its own. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type IQueueBackend, type Queue, UnrecoverableError, withBackend } from 'bullmq';
import express from 'express';
import type { TestContext } from 'vitest';
import type { LaneQueue } from '../../../src/adapters/board/lane-adapter.ts';
import { openBoard } from '../../../src/adapters/board/open-board.ts';
import { type QueueBackend, queueName } from '../../../src/adapters/bullmq/lane-queues.ts';
import { openPostgresBackend } from '../../../src/adapters/bullmq/postgres-backend.ts';
import { openRedisBackend } from '../../../src/adapters/bullmq/redis-backend.ts';
import type { PostgresAddress } from '../../../src/adapters/postgres/connect.ts';
import { type RecordingLog, recordingLog } from '../../app/fakes.ts';
import type { TestRedis } from '../../redis-fixture.ts';
import type { FakeService } from './fake-service.ts';

/** What the board answered. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** A board that is served. */
export interface TestBoard {
  /** Of the page. */
  readonly url: string;
  readonly log: RecordingLog;
  get(path: string): Promise<Answer>;
  send(method: string, path: string, body?: unknown): Promise<Answer>;
}

/** Serves a board until the test ends; `queueOf` opens a lane's queue on its backend. */
export const openTestBoard = async (
  { onTestFinished }: TestContext,
  { batches, roll, stories }: FakeService,
  queueOf: (laneId: string) => LaneQueue,
  showsText = false,
): Promise<TestBoard> => {
  const log = recordingLog();
  const basePath = '/board';
  const board = openBoard({ basePath, batches, roll, stories, queueOf, showsText, log });
  const server = createServer(express().use(basePath, board.router)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await board[Symbol.asyncDispose]();
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const url = `http://127.0.0.1:${port}${basePath}`;
  const send = async (method: string, path: string, body?: unknown): Promise<Answer> => {
    const response = await fetch(`${url}/api${path}`, {
      method,
      ...(body !== undefined && {
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      }),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? null : JSON.parse(text) };
  };
  return { url, log, get: (path) => send('GET', path), send };
};

/** What tests do with a queue besides. */
type TestQueue = LaneQueue &
  Pick<
    Queue,
    'close' | 'pause' | 'isPaused' | 'setGlobalConcurrency' | 'getGlobalConcurrency' | 'getGlobalRateLimit'
  >;

/** BullMQ's queues of lanes on one backend. */
export interface TestQueues {
  readonly queueOf: (laneId: string) => TestQueue;
  /** Adds the job of one grant, as the dispatcher does. */
  addCall(laneId: string, grantId: number): Promise<void>;
  /** Adds the job of one grant and lets it fail for this reason, as the lane worker does. */
  failCall(laneId: string, grantId: number, reason: string): Promise<void>;
}

/** Lanes' queues on a Redis; they are closed when the test ends. */
export const openRedisQueues = async (context: TestContext, { url }: TestRedis): Promise<TestQueues> =>
  queuesOn(context, await openRedisBackend({ url, prefix: 'nightshift-test' }, () => undefined));

/** Lanes' queues in a PostgreSQL; they are closed when the test ends. */
export const openPostgresQueues = async (
  context: TestContext,
  address: PostgresAddress,
): Promise<TestQueues> => queuesOn(context, await openPostgresBackend(address, () => undefined));

const queuesOn = <Backend extends IQueueBackend, Connection>(
  { onTestFinished }: TestContext,
  backend: QueueBackend<Backend, Connection>,
): TestQueues => {
  const { Queue: BackendQueue, Worker } = withBackend(backend.factory);
  const prefix = backend.prefix === undefined ? {} : { prefix: backend.prefix };
  const queues = new Map<string, InstanceType<typeof BackendQueue>>();
  onTestFinished(async () => {
    await Promise.all([...queues.values()].map((queue) => queue.close()));
    await backend[Symbol.asyncDispose]();
  });

  const queueOf = (laneId: string) => {
    const known = queues.get(laneId);
    if (known !== undefined) return known;
    const queue = new BackendQueue(queueName(laneId), { ...prefix, connection: backend.queueConnection });
    queue.on('error', () => undefined);
    queues.set(laneId, queue);
    return queue;
  };

  const addCall = async (laneId: string, grantId: number): Promise<void> => {
    await queueOf(laneId).add('call', { grants: [grantId] }, { jobId: `g${grantId}`, attempts: 1 });
  };

  return {
    queueOf,
    addCall,
    async failCall(laneId, grantId, reason) {
      const worker = new Worker(
        queueName(laneId),
        async () => {
          throw new UnrecoverableError(reason);
        },
        { ...prefix, connection: backend.workerConnection, limiter: { max: 1_000, duration: 60_000 } },
      );
      const failed = once(worker, 'failed');
      await addCall(laneId, grantId);
      await failed;
      await worker.close();
    },
  };
};
