/** What lane queues must do wherever BullMQ keeps them. */
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test, type TestContext } from 'vitest';
import type { Slice } from '../../../src/app/ledger.ts';
import type { ServedLane } from '../../../src/app/process-registry.ts';
import { aLane, aProvider } from '../../app/fakes.ts';
import type { OpenedQueues } from './queue-homes.ts';

/** Nobody waits longer than this for something to happen. */
const PATIENCE_MS = 10_000;

/** A lane with its provider. Model ids contain colons and slashes. */
export const served = (id = 'alpha/vendor/small:free', concurrency = 2): ServedLane => {
  const lane = aLane(id, { concurrency });
  return { lane, provider: aProvider([lane]) };
};

/** Work that remembers its slices; `count` resolves when there were so many. */
export const rememberingWork = (during: (slice: Slice) => Promise<void> = async () => {}) => {
  const slices: Slice[] = [];
  return {
    slices,
    work: async (slice: Slice): Promise<void> => {
      slices.push(slice);
      await during(slice);
    },
    count: (count: number): Promise<void> => until(async () => slices.length >= count, `${count} jobs`),
  };
};

/** Slices in the order of their first grants. */
const byFirst = ([one = 0]: Slice, [other = 0]: Slice): number => one - other;

/** Resolves when it is so. */
export const until = async (isSo: () => Promise<boolean>, what: string): Promise<void> => {
  for (const deadlineMs = Date.now() + PATIENCE_MS; !(await isSo()); await delay(10)) {
    if (Date.now() > deadlineMs)
      throw new Error(`Expected ${what} within ${PATIENCE_MS} ms, but it was not so.`);
  }
};

/** Registers the suite for one home. */
export const laneQueuesContract = (
  home: string,
  open: (context: TestContext, rate?: number) => Promise<OpenedQueues>,
): void => {
  const LANE = served();
  const { id } = LANE.lane;

  describe(`lane queues on ${home}`, () => {
    test('hand each slice to the worker of its lane, and to no other', async (context) => {
      const { queues } = await open(context);
      const here = rememberingWork();
      const there = rememberingWork();
      await queues.consume(LANE, here.work);
      await queues.consume(served('beta/small'), there.work);
      await queues.add(id, [[1, 2, 3], [4]]);
      await queues.add('beta/small', [[5]]);
      await Promise.all([here.count(2), there.count(1)]);
      expect(here.slices.toSorted(byFirst)).toEqual([[1, 2, 3], [4]]);
      expect(there.slices).toEqual([[5]]);
    });

    test('keep slices until somebody works on the lane', async (context) => {
      const { queues } = await open(context);
      await queues.add(id, [[1], [2], [3]]);
      const { work, slices, count } = rememberingWork();
      await queues.consume(LANE, work);
      await count(3);
      expect(slices).toEqual([[1], [2], [3]]);
    });

    test('run as many at once as the lane has slots', async (context) => {
      const { queues } = await open(context);
      let underWay = 0;
      let mostUnderWay = 0;
      const { work, count } = rememberingWork(async () => {
        underWay += 1;
        mostUnderWay = Math.max(mostUnderWay, underWay);
        await delay(30);
        underWay -= 1;
      });
      await queues.consume(LANE, work);
      await queues.add(
        id,
        Array.from({ length: 8 }, (_, index) => [index + 1]),
      );
      await count(8);
      expect(mostUnderWay).toBe(2);
    });

    test('hold no lane for longer than a minute, also where its shortest window is a day', async (context) => {
      const MINUTES_PER_SECOND = 60;
      const { queues } = await open(context, MINUTES_PER_SECOND);
      const lane = aLane(id, {
        concurrency: 2,
        limits: [
          { metric: 'requests', amount: 2, window: { kind: 'fixed', perMs: 86_400_000, anchorAtMs: 0 } },
        ],
      });
      const { work, slices, count } = rememberingWork();
      await queues.consume({ lane, provider: aProvider([lane]) }, work);
      const jobs = Array.from({ length: 20 }, (_, index) => [index + 1]);
      await queues.add(id, jobs);
      await count(20);
      expect(slices.toSorted(byFirst)).toEqual(jobs);
    });

    test('take a slice once however often it is added, and again when it is added again', async (context) => {
      const { queues } = await open(context);
      await queues.add(id, [[7, 8]]);
      await queues.add(id, [[7, 8]]);
      await queues.add(id, [[7, 8], [9]]);
      expect(await queues.queueOf(id).count()).toBe(2);
      await queues.addAgain(id, [[7, 8]]);
      const { work, slices, count } = rememberingWork();
      await queues.consume(LANE, work);
      await count(3);
      expect(slices.toSorted(byFirst)).toEqual([[7, 8], [7, 8], [9]]);
    });

    test('add nothing where there is nothing to add', async (context) => {
      const { queues } = await open(context);
      await queues.add(id, []);
      await queues.addAgain(id, []);
      expect(await queues.queueOf(id).count()).toBe(0);
    });

    test('keep no job that was done, and show a rejection as a failed one with its message alone', async (context) => {
      const { queues } = await open(context);
      const queue = queues.queueOf(id);
      const { work, count } = rememberingWork(async ([first]) => {
        if (first === 2) throw new Error('minute-limit: HTTP 429: slow down');
      });
      await queues.consume(LANE, work);
      await queues.add(id, [[1], [2, 3]]);
      await count(2);
      await until(async () => (await queue.getFailedCount()) === 1, 'a failed job');
      const [job] = await queue.getFailed();
      expect(job?.data).toEqual({ grants: [2, 3] });
      expect(job?.failedReason).toBe('minute-limit: HTTP 429: slow down');
      expect(job?.stacktrace?.join('\n') ?? '').not.toMatch(/\bat .*\.ts/u);
      await until(async () => (await queue.getActiveCount()) === 0, 'no job under way');
      expect(await queue.getCompletedCount()).toBe(0);
    });

    test('do not run a failed job again by themselves', async (context) => {
      const { queues } = await open(context);
      const { work, slices, count } = rememberingWork(async ([first]) => {
        if (first === 1) throw new Error('sick: HTTP 500');
      });
      await queues.consume(LANE, work);
      await queues.add(id, [[1]]);
      await count(1);
      await queues.add(id, [[2]]);
      await count(2);
      expect(slices).toEqual([[1], [2]]);
    });

    test('take no more jobs once told to stop, and wait for those under way', async (context) => {
      const { queues } = await open(context);
      const end = Promise.withResolvers<void>();
      const { work, slices, count } = rememberingWork(() => end.promise);
      // One slot, which is taken: a second one might be fetching a job at that very moment.
      const consumer = await queues.consume(served(id, 1), work);
      await queues.add(id, [[1]]);
      await count(1);
      let isStopped = false;
      const stopped = consumer.stop().finally(() => {
        isStopped = true;
      });
      await queues.add(id, [[2]]);
      expect(isStopped).toBe(false);
      end.resolve();
      await stopped;
      expect(slices).toEqual([[1]]);
      expect(await queues.queueOf(id).getWaitingCount()).toBe(1);
      const next = rememberingWork();
      await queues.consume(LANE, next.work);
      await next.count(1);
      expect(next.slices).toEqual([[2]]);
    });

    test('remove a queue with all that is left in it, and make it anew when it is needed', async (context) => {
      const { queues } = await open(context);
      const failing = rememberingWork(async () => {
        throw new Error('x');
      });
      const consumer = await queues.consume(LANE, failing.work);
      await queues.add(id, [[1]]);
      await until(async () => (await queues.queueOf(id).getFailedCount()) === 1, 'a failed job');
      await consumer.stop();
      await queues.add(id, [[2], [3]]);
      await queues.remove(id);
      expect(await queues.queueOf(id).getJobCounts()).toMatchObject({ waiting: 0, failed: 0, active: 0 });
      const { work, slices, count } = rememberingWork();
      await queues.consume(LANE, work);
      await queues.add(id, [[1]]);
      await count(1);
      expect(slices).toEqual([[1]]);
    });

    test('remove a queue that was never made', async (context) => {
      const { queues } = await open(context);
      await expect(queues.remove('nobody/nothing')).resolves.toBeUndefined();
    });

    test('spare no slot for a job that another worker took', async (context) => {
      const { queues } = await open(context);
      const one = rememberingWork();
      const two = rememberingWork();
      await queues.consume(LANE, one.work);
      await queues.consume(LANE, two.work);
      await queues.add(
        id,
        Array.from({ length: 30 }, (_, index) => [index + 1]),
      );
      await until(async () => one.slices.length + two.slices.length >= 30, '30 jobs');
      expect([...one.slices, ...two.slices].flat().toSorted((a, b) => a - b)).toEqual(
        Array.from({ length: 30 }, (_, index) => index + 1),
      );
    });
  });
};
