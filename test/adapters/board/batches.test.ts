/** The board's queue of batches. */
import { type TestContext, describe, expect, test } from 'vitest';
import { type BoardQueue, jobIn, queueIn, refusalIn } from './board-json.ts';
import { ANY_TERMS } from '../../../src/core/batch-terms.ts';
import { hoursAfter } from '../../contracts/night-windows.ts';
import { NOW_MS, aBatch, aLaneProgress, openFakeService } from './fake-service.ts';
import { type Answer, openTestBoard } from './open-test-board.ts';

/** A board without a queue behind it: batches need none. */
const openStage = async (context: TestContext) => {
  const service = openFakeService();
  const board = await openTestBoard(context, service, () => {
    throw new Error('Expected no lane to be shown.');
  });
  const list = async (status: string, page = 1, jobsPerPage = 10): Promise<BoardQueue> =>
    queueIn(
      await board.get(`/queues?activeQueue=batches&status=${status}&page=${page}&jobsPerPage=${jobsPerPage}`),
      'batches',
    );
  return { service, board, list };
};

describe('batches on the board', () => {
  test('a batch in progress is a job with a name that counts and a ring', async (context) => {
    const { service, list } = await openStage(context);
    service.setBatches([aBatch(1, { name: 'docs' })]);
    const { jobs } = await list('active');
    expect(jobs).toEqual([
      expect.objectContaining({
        id: '1',
        name: 'docs — 150 of 5,000',
        progress: 3,
        timestamp: NOW_MS - 60_000,
        failedReason: '',
        data: expect.objectContaining({
          lines: expect.objectContaining({
            total: 5_000,
            succeeded: 140,
            failed: 8,
            bad: 2,
            cancelled: 0,
            expired: 0,
          }),
          terms: expect.objectContaining({ between: null, priority: 0, deadline: null }),
          tokens: { prompt: 10_000, completion: 4_000 },
        }),
      }),
    ]);
  });

  test('a batch in progress says when it will be done by the plan, in a list and by itself', async (context) => {
    const { service, board, list } = await openStage(context);
    service.setBatches([aBatch(1, { name: 'docs' })]);
    service.setForecast({
      madeAtMs: NOW_MS - 4_000,
      finishAtMs: NOW_MS + 12_000_000,
      spreadMs: 900_000,
      next: { scope: 'gemini', atMs: NOW_MS + 7_200_000 },
    });
    const name =
      'docs — 150 of 5,000 · next: gemini 2026-11-20 09:00 UTC · done about 2026-11-20 10:20 UTC ±15 min';
    expect((await list('active')).jobs.map((job) => job.name)).toEqual([name]);
    expect(jobIn(await board.get('/queues/batches/1')).job.name).toBe(name);
    const deadlineAtMs = NOW_MS + 10_800_000;
    service.setBatches([aBatch(1, { name: 'docs', terms: { ...ANY_TERMS, deadlineAtMs } })]);
    expect((await list('active')).jobs.map((job) => job.name)).toEqual([
      `${name}, but its deadline is 2026-11-20 10:00 UTC`,
    ]);
  });

  test('a batch with terms tells them, and until when it waits for its hours', async (context) => {
    const { service, board } = await openStage(context);
    const nightWindow = hoursAfter(NOW_MS, 2, 4);
    service.setBatches([aBatch(1, { terms: { nightWindow, priority: 5, deadlineAtMs: NOW_MS } })]);
    const { job } = jobIn(await board.get('/queues/batches/1'));
    const opensMs = (Math.floor(NOW_MS / 3_600_000) + 2) * 3_600_000;
    expect(job.data['terms']).toEqual({
      between: expect.stringMatching(/^\d\d:00-\d\d:00 UTC$/u),
      waitsUntil: new Date(opensMs).toISOString(),
      priority: 5,
      deadline: new Date(NOW_MS).toISOString(),
    });
  });

  test('every state has its column', async (context) => {
    const { service, list } = await openStage(context);
    const done = { completedAtMs: NOW_MS, succeeded: 4_990 };
    service.setBatches([
      aBatch(1),
      aBatch(2, { isPaused: true }),
      aBatch(3, { state: 'completed', ...done }),
      aBatch(4, { state: 'cancelling' }),
      aBatch(5, { state: 'cancelled', completedAtMs: NOW_MS, cancelled: 4_850 }),
      aBatch(6, { state: 'expiring' }),
      aBatch(7, { state: 'expired', completedAtMs: NOW_MS, expired: 4_850 }),
    ]);
    const { counts, statuses, jobs } = await list('latest');
    expect(counts).toEqual({ active: 1, paused: 1, completed: 1, failed: 4 });
    expect(statuses).toEqual(['latest', 'active', 'paused', 'completed', 'failed']);
    expect(jobs.map(({ id }) => id)).toEqual(['1', '2', '3', '7', '6', '5', '4']);
    const ended = (await list('failed')).jobs;
    expect(ended.map(({ failedReason }) => failedReason)).toEqual([
      'its deadline came before it was done',
      'its deadline came before it was done',
      'cancelled by the user',
      'cancelled by the user',
    ]);
  });

  test('a completed batch with failed lines stays completed and says how many', async (context) => {
    const { service, list } = await openStage(context);
    service.setBatches([aBatch(1, { state: 'completed', succeeded: 4_990, completedAtMs: NOW_MS })]);
    const [job] = (await list('completed')).jobs;
    expect(job).toMatchObject({
      progress: 100,
      failedReason: '',
      finishedOn: NOW_MS,
      data: { note: 'Of 5,000 lines 8 failed and 2 were bad; their error lines say why.' },
    });
  });

  test('more than 1,000 batches are paged without reading the status of each', async (context) => {
    const { service, list } = await openStage(context);
    service.setBatches(Array.from({ length: 2_345 }, (_, index) => aBatch(index + 1)));
    const last = await list('active', 235);
    expect(last.counts['active']).toBe(2_345);
    expect(last.pagination.pageCount).toBe(235);
    expect(last.jobs.map(({ id }) => id)).toEqual(['5', '4', '3', '2', '1']);
    expect((await list('active', 1, 1_000_000)).jobs).toHaveLength(1_000);
    expect(service.asked.filter((asked) => asked.startsWith('status ')).length).toBeLessThanOrEqual(5 * 2);
  });

  test('a batch by itself tells of its lanes, and of what is parked and under way', async (context) => {
    const { service, board } = await openStage(context);
    service.setBatches([aBatch(7)]);
    const { job, status } = jobIn(await board.get('/queues/batches/7'));
    expect(status).toBe('active');
    expect(job.data).toMatchObject({ lanes: [], lines: { parked: 3, underWay: 9 }, warnings: [] });
  });

  test.for(['8', 'docs-7', '1e9', '12345678901234567890'])('there is no batch %s', async (id, context) => {
    const { service, board } = await openStage(context);
    service.setBatches([aBatch(7)]);
    expect((await board.get(`/queues/batches/${id}`)).status).toBe(404);
  });

  test('a batch whose name is the id of another is not taken for it', async (context) => {
    const { service, board } = await openStage(context);
    service.setBatches([aBatch(9, { name: '7' })]);
    expect((await board.get('/queues/batches/7')).status).toBe(404);
  });

  test('logs, metrics, schedulers and flows are empty rather than errors', async (context) => {
    const { service, board } = await openStage(context);
    service.setBatches([aBatch(7)]);
    const paths = [
      '/queues/batches/7/logs',
      '/queues/batches/7/flow',
      '/queues/batches/metrics',
      '/queues/batches/default-job-options',
      '/queues/batches/job-data-schema',
      '/queues/batches/rate-limit',
      '/job-schedulers',
    ];
    const answers = await Promise.all(paths.map((path) => board.get(path)));
    expect(answers.map(({ status }) => status)).toEqual(paths.map(() => 200));
  });
});

describe('what the board must not do to batches', () => {
  const CLOSED: readonly (readonly [string, string, unknown?])[] = [
    ['PUT', '/pause'],
    ['PUT', '/resume'],
    ['POST', '/add', { name: 'x', data: {}, options: {} }],
    ['PUT', '/retry/failed'],
    ['PUT', '/promote'],
    ['PUT', '/clean/failed'],
    ['PUT', '/empty'],
    ['PUT', '/obliterate', { force: true }],
    ['PUT', '/concurrency', { concurrency: 1 }],
    ['PUT', '/rate-limit', { max: 1, duration: 1 }],
    ['PUT', '/7/retry'],
    ['PUT', '/7/clean'],
    ['PUT', '/7/promote'],
    ['PATCH', '/7/update-data', { jobData: {} }],
    ['PUT', '/7/remove-unprocessed-children'],
  ];

  test('every action is refused, naming the commands', async (context) => {
    const { service, board } = await openStage(context);
    service.setBatches([aBatch(7)]);
    const refusals: Answer[] = [];
    for (const [method, action, body] of CLOSED)
      refusals.push(await board.send(method, `/queues/batches${action}`, body));
    expect(refusals.map(({ status }) => status)).toEqual(CLOSED.map(() => 403));
    for (const answer of refusals) expect(refusalIn(answer)).toContain('nightshift pause');
  });

  test('pausing all queues is no error where there are only batches', async (context) => {
    const { board, list } = await openStage(context);
    expect((await board.send('PUT', '/queues/pause')).status).toBe(200);
    expect((await list('latest')).isPaused).toBe(false);
  });

  test('a record that is away is an error with a reason, and is logged', async (context) => {
    const { service, board } = await openStage(context);
    service.batches.lanes = async () => {
      throw new Error('Expected the record to answer.');
    };
    const answer = await board.get('/queues');
    expect([answer.status, refusalIn(answer)]).toEqual([500, 'Expected the record to answer.']);
    expect(board.log.entries.map(({ event }) => event)).toEqual(['board.errored']);
    service.batches.lanes = async () => [];
    expect((await board.get('/queues')).status).toBe(200);
  });

  test('a queue that cannot be opened is an error with a reason', async (context) => {
    const { service, board } = await openStage(context);
    service.setLanes([aLaneProgress('groq/gpt-oss-20b')]);
    expect(refusalIn(await board.get('/queues'))).toBe('Expected no lane to be shown.');
  });
});
