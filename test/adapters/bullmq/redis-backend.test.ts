import { describe, expect, test, vi } from 'vitest';
import { queueName } from '../../../src/adapters/bullmq/lane-queues.ts';
import {
  openRedisBackend,
  settingWarnings,
  withoutPassword,
} from '../../../src/adapters/bullmq/redis-backend.ts';
import { Redis } from 'ioredis';
import type { TestRedis } from '../../redis-fixture.ts';
import { rememberingWork, served, until } from './lane-queues.contract.ts';
import { openOnRedis } from './queue-homes.ts';

/** Asks the Redis of a test itself. */
const ask = async <Answer>(
  redis: TestRedis,
  question: (client: Redis) => Promise<Answer>,
): Promise<Answer> => {
  const client = new Redis(redis.url);
  try {
    return await question(client);
  } finally {
    client.disconnect();
  }
};

describe('queues on Redis', () => {
  test('go on after FLUSHALL: a worker that waits takes the next job', async (context) => {
    const { queues, redis } = await openOnRedis(context);
    const lane = served();
    const { work, slices, count } = rememberingWork();
    await queues.consume(lane, work);
    await queues.add(lane.lane.id, [[1]]);
    await count(1);
    await ask(redis, (client) => client.flushall());
    await queues.add(lane.lane.id, [[2], [3, 4]]);
    await count(3);
    expect(slices).toEqual([[1], [2], [3, 4]]);
  });

  test('lose only what FLUSHALL took, which can be added under its old id', async (context) => {
    const { queues, redis } = await openOnRedis(context);
    const lane = served();
    await queues.add(lane.lane.id, [[1]]);
    await ask(redis, (client) => client.flushall());
    await queues.add(lane.lane.id, [[1]]);
    const { work, slices, count } = rememberingWork();
    await queues.consume(lane, work);
    await count(1);
    expect(slices).toEqual([[1]]);
  });

  test('let the call under way end when FLUSHALL takes its job', async (context) => {
    const { queues, redis } = await openOnRedis(context);
    const lane = served();
    const end = Promise.withResolvers<void>();
    const { work, slices, count } = rememberingWork(async ([first]) => {
      if (first === 1) await end.promise;
    });
    await queues.consume(lane, work);
    await queues.add(lane.lane.id, [[1]]);
    await count(1);
    await ask(redis, (client) => client.flushall());
    end.resolve();
    await queues.add(lane.lane.id, [[2]]);
    await count(2);
    expect(slices).toEqual([[1], [2]]);
  });

  test('keep every key under their prefix, so that several share a Redis', async (context) => {
    const { queues, redis } = await openOnRedis(context, 1, 'nightshift-abc');
    const lane = served();
    const { work, count } = rememberingWork();
    await queues.consume(lane, work);
    await queues.add(lane.lane.id, [[1]]);
    await count(1);
    const keys = await ask(redis, (client) => client.keys('*'));
    expect(keys.length).toBeGreaterThan(0);
    expect(keys.filter((key) => !key.startsWith(`nightshift-abc:${queueName(lane.lane.id)}:`))).toEqual([]);
  });

  test('fail soon when Redis is away', async (context) => {
    const { queues, backend, redis } = await openOnRedis(context);
    await backend.ping();
    await queues.add('alpha/small', [[1]]);
    await redis.kill();
    await expect(queues.add('alpha/small', [[2]])).rejects.toThrow(
      /retries per request|Connection is closed/u,
    );
    await expect(backend.ping()).rejects.toThrow(/retries per request|Connection is closed/u);
  });

  test('log what a lane could not do while Redis was away', async (context) => {
    const { queues, log, redis } = await openOnRedis(context);
    const lane = served();
    await queues.consume(lane, rememberingWork().work);
    await redis.kill();
    const logged = (): boolean =>
      log.entries.some(({ event, fields }) => event === 'queue.errored' && fields['laneId'] === lane.lane.id);
    await until(async () => logged(), 'an entry in the log');
    expect(log.entries.every(({ level }) => level === 'warn')).toBe(true);
  });
});

/** Whether it is, once what the network has brought is dealt with. */
const isSettledSoon = (work: Promise<unknown>): Promise<boolean> =>
  new Promise((resolve) => {
    void work.then(
      () => resolve(true),
      () => resolve(true),
    );
    setImmediate(() => resolve(false));
  });

/** Lets the seconds of the clock pass in moments until this is settled; the network keeps its own time. */
const hurried = async <Result>(start: () => Promise<Result>): Promise<Result> => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  try {
    const work = start();
    for (;;) {
      await vi.advanceTimersByTimeAsync(100);
      if (await isSettledSoon(work)) return await work;
    }
  } finally {
    vi.useRealTimers();
  }
};

describe('a Redis that is not there', () => {
  test('is reported with the way out and without its password', async () => {
    const error = await hurried(() =>
      openRedisBackend({ url: 'redis://night:redis-secret@127.0.0.1:1', prefix: 'x' }, () => {}).then(
        () => null,
        (reason: unknown) => reason,
      ),
    );
    expect(String(error)).toMatch(
      /Expected a Redis at redis:\/\/night:\*\*\*@127\.0\.0\.1:1 \(REDIS_URL\), got: .+\. Start it, or correct the variable\./u,
    );
    expect(String(error)).not.toContain('secret');
  });

  test.each([
    ['redis://h:6379', 'redis://h:6379'],
    ['rediss://u:p@h:6380/2', 'rediss://u:***@h:6380/2'],
    ['redis://:p%40ss@h', 'redis://:***@h'],
    ['redis://h?password=secret', 'redis://h'],
    ['nonsense', 'an address that is no URL'],
  ])('is shown without a password: %s', (url, shown) => {
    expect(withoutPassword(url)).toBe(shown);
  });
});

/** What `INFO` says. */
const info = (aof: string, policy: string): string =>
  `# Server\r\nredis_version:7.0.15\r\n# Memory\r\nmaxmemory_policy:${policy}\r\n# Persistence\r\naof_enabled:${aof}\r\n`;

describe('settings under which jobs may vanish', () => {
  test('are none where Redis keeps an append-only file and evicts nothing', () => {
    expect(settingWarnings(info('1', 'noeviction'))).toEqual([]);
  });

  test('are each one sentence with the way out', () => {
    const [file, policy, ...others] = settingWarnings(info('0', 'allkeys-lru'));
    expect(others).toEqual([]);
    expect(file).toContain('`appendonly yes`');
    expect(policy).toMatch(/\(maxmemory-policy allkeys-lru\).*`maxmemory-policy noeviction`/u);
    expect(settingWarnings(info('0', 'noeviction'))).toHaveLength(1);
    expect(settingWarnings(info('1', 'volatile-ttl'))).toHaveLength(1);
  });

  test('are not guessed where Redis does not tell them', () => {
    expect(settingWarnings('')).toEqual([]);
    expect(settingWarnings('# Server\nredis_version:8\n')).toEqual([]);
  });

  test('are those of the Redis at hand', async (context) => {
    const { backend } = await openOnRedis(context);
    expect(backend.warnings).toEqual([expect.stringContaining('append-only file')]);
  });
});
