/** BullMQ on Redis or Valkey: the production home. */
import { type ConnectionOptions, createRedisBackend, type RedisQueueBackend } from 'bullmq';
import { Redis } from 'ioredis';
import type { QueueBackend } from './lane-queues.ts';

/** How often a command of a queue is tried while Redis is away: it then fails, and is asked again in its own time. */
const QUEUE_RETRIES = 2;
/** The longest wait between two attempts to connect again. */
const LONGEST_RETRY_MS = 2_000;
/** How long the first connection may take. */
const CONNECT_PATIENCE_MS = 10_000;

/** What a Redis is told and asked. */
export interface RedisAddress {
  /** `redis://` or `rediss://`, with user and password where it needs them. */
  readonly url: string;
  /** What the names of all keys begin with. */
  readonly prefix: string;
}

/** A backend on Redis, with what is wrong with it. */
export interface RedisBackend extends QueueBackend<RedisQueueBackend, ConnectionOptions> {
  /** Settings under which jobs may vanish; one sentence each. */
  readonly warnings: readonly string[];
  /** Resolves if Redis answers. */
  ping(): Promise<void>;
}

/**
 * Connects to Redis.
 *
 * @throws with the way out, and without the password, if there is none at that address within 10 s.
 */
export const openRedisBackend = async (
  { url, prefix }: RedisAddress,
  onError: (error: Error) => void,
): Promise<RedisBackend> => {
  const common = {
    connectionName: 'nightshift',
    lazyConnect: true,
    retryStrategy: (times: number) => Math.min(50 * 2 ** Math.min(times, 6), LONGEST_RETRY_MS),
  };
  // Enough for BullMQ's scripts: a job is added once or not at all, and the record notices either.
  const queueConnection = new Redis(url, { ...common, maxRetriesPerRequest: QUEUE_RETRIES });
  const workerConnection = new Redis(url, { ...common, maxRetriesPerRequest: null });
  const connections = [queueConnection, workerConnection];
  for (const connection of connections) {
    // Every queue and worker listens to the connection for itself.
    connection.setMaxListeners(0);
    connection.on('error', onError);
  }
  const close = (): void => {
    for (const connection of connections) connection.disconnect();
  };
  try {
    await Promise.all(connections.map((connection) => connectInTime(connection)));
    return {
      factory: createRedisBackend,
      queueConnection,
      workerConnection,
      prefix,
      warnings: settingWarnings(await queueConnection.info()),
      async ping() {
        await queueConnection.ping();
      },
      async [Symbol.asyncDispose]() {
        close();
      },
    };
  } catch (error) {
    close();
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `Expected a Redis at ${withoutPassword(url)} (REDIS_URL), got: ${reason}. Start it, or correct the variable.`,
      { cause: error },
    );
  }
};

/** The first attempt decides; a server that just starts is given its time. */
const connectInTime = async (connection: Redis): Promise<void> => {
  let lastError: Error | null = null;
  const remember = (error: Error): void => {
    lastError = error;
  };
  connection.on('error', remember);
  const deadlineMs = performance.now() + CONNECT_PATIENCE_MS;
  try {
    await connection.connect().catch(() => undefined);
    while (connection.status !== 'ready') {
      if (performance.now() > deadlineMs) throw lastError ?? new Error('no answer within 10 s');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  } finally {
    connection.off('error', remember);
  }
};

/** What `INFO` says that costs jobs. Nothing is lost for good: the record adds them again. */
export const settingWarnings = (info: string): readonly string[] => {
  const valueOf = (name: string): string | undefined =>
    info
      .split(/\r?\n/u)
      .find((line) => line.startsWith(`${name}:`))
      ?.slice(name.length + 1);
  const policy = valueOf('maxmemory_policy');
  return [
    ...(valueOf('aof_enabled') === '0'
      ? [
          'Redis keeps no append-only file: after a restart of it the calls that were queued are queued again, some seconds late. Set `appendonly yes`.',
        ]
      : []),
    ...(policy === undefined || policy === 'noeviction'
      ? []
      : [
          `Redis may evict queued calls when its memory is full (maxmemory-policy ${policy}). Set \`maxmemory-policy noeviction\`.`,
        ]),
  ];
};

/** A URL as it may be shown. */
export const withoutPassword = (url: string): string => {
  try {
    const shown = new URL(url);
    if (shown.password !== '') shown.password = '***';
    shown.search = '';
    return shown.toString();
  } catch {
    return 'an address that is no URL';
  }
};
