/** A lane's queue on the board: what is shown, and what may be done. */
import { type TestContext, describe, expect, test } from 'vitest';
import { BatchRefused } from '../../../src/app/batches.ts';
import { openTestRedis } from '../../redis-fixture.ts';
import { jobIn, queueIn, queuesIn, refusalIn } from './board-json.ts';
import { NOW_MS, aLaneProgress, aStory, openFakeService } from './fake-service.ts';
import { type Answer, openRedisQueues, openTestBoard } from './open-test-board.ts';

const GROQ = 'groq/gpt-oss-20b';
/** A model id with everything that a queue's name, a path and a query may stumble over. */
const ODD = 'openrouter/meta-llama/llama-3.3-70b:free';
const path = (laneId: string): string => `/queues/${encodeURIComponent(laneId)}`;
const list = (laneId: string, status = 'latest'): string =>
  `/queues?activeQueue=${encodeURIComponent(laneId)}&status=${status}`;

const openStage = async (context: TestContext, showsText = false) => {
  const redis = await openTestRedis(context);
  const service = openFakeService();
  service.setLanes([aLaneProgress(GROQ), aLaneProgress(ODD)]);
  const queues = await openRedisQueues(context, redis);
  const board = await openTestBoard(context, service, queues.queueOf, showsText);
  return { redis, service, board, queues };
};

const failedCall = async (context: TestContext, laneId = GROQ, showsText = false) => {
  const stage = await openStage(context, showsText);
  stage.service.setStories([aStory(7, { laneId })]);
  await stage.queues.failCall(laneId, 7, 'too-large: the request is too large for this model');
  return stage;
};

describe('lanes on the board', () => {
  test('every lane is a queue under its id, in groups by provider', async (context) => {
    const { board } = await openStage(context);
    const lanes = queuesIn(await board.get('/queues')).filter(({ name }) => name !== 'batches');
    expect(lanes.map(({ name, delimiter }) => [name, delimiter])).toEqual([
      [GROQ, '/'],
      [ODD, '/'],
    ]);
  });

  test('limits and state stand in the description', async (context) => {
    const { board, service } = await openStage(context);
    const closing = {
      scope: 'openrouter',
      untilMs: NOW_MS,
      kind: 'quota',
      reason: 'daily quota used up',
      needsUser: false,
    };
    service.setLanes([aLaneProgress(GROQ), aLaneProgress(ODD, { closing, isPaused: true, workers: 0 })]);
    const answer = await board.get('/queues');
    expect(queueIn(answer, GROQ).description).toBe(
      'open · 1 worker · no calls under way · requests 6/30 per min',
    );
    expect(queueIn(answer, ODD).description).toBe(
      'paused, closed until 2026-11-20 07:00 UTC: daily quota used up · no workers · no calls under way · requests 6/30 per min',
    );
  });

  test('lanes that come and go are noticed without a restart', async (context) => {
    const { board, service } = await openStage(context);
    await board.get('/queues');
    service.setLanes([aLaneProgress(GROQ), aLaneProgress('home/llama-8b')]);
    await expect
      .poll(async () => queuesIn(await board.get('/queues')).map(({ name }) => name), { timeout: 10_000 })
      .toEqual(['batches', GROQ, 'home/llama-8b']);
    expect((await board.get(`${path(ODD)}/g1`)).status).toBe(404);
  });

  test('many looks at once ask the record once', async (context) => {
    const { board, service } = await openStage(context);
    await Promise.all(Array.from({ length: 20 }, () => board.get('/queues')));
    expect(service.asked).toEqual(['lanes']);
  });

  test.for([GROQ, ODD])('a failed call of %s shows its line, its batch and why', async (laneId, context) => {
    const { board } = await failedCall(context, laneId);
    const [job] = queueIn(await board.get(list(laneId, 'failed')), laneId).jobs;
    expect(job).toMatchObject({
      id: 'g7',
      name: 'speech-7 of "docs"',
      failedReason: 'too-large: the request is too large for this model',
      data: {
        'grant 7': {
          batch: 'docs',
          customId: 'speech-7',
          lane: laneId,
          outcome: 'too-large',
          promptTokens: 812,
          begun: new Date(NOW_MS - 2_000).toISOString(),
        },
      },
    });
    const alone = jobIn(await board.get(`${path(laneId)}/g7`));
    expect(alone).toMatchObject({ status: 'failed', job: { name: 'speech-7 of "docs"' } });
  });

  test('document text is left out unless it is asked for', async (context) => {
    const { board, service, queues } = await failedCall(context);
    const hidden = JSON.stringify((await board.get(list(GROQ, 'failed'))).body);
    expect(hidden).not.toContain('fellow citizens');
    expect(hidden).toContain('NIGHTSHIFT_BOARD_TEXT=1');
    const open = await openTestBoard(context, service, queues.queueOf, true);
    expect(JSON.stringify((await open.get(list(GROQ, 'failed'))).body)).toContain('fellow citizens');
    expect(JSON.stringify((await open.get(`${path(GROQ)}/g7`)).body)).toContain('fellow citizens');
  });

  test('a call whose batch was removed says so', async (context) => {
    const { board, service } = await failedCall(context);
    service.setStories([]);
    const [job] = queueIn(await board.get(list(GROQ)), GROQ).jobs;
    expect(job?.name).toBe('a call of a removed batch');
  });

  test('a queue that does not answer leaves the rest of the board standing', async (context) => {
    const { board, redis } = await openStage(context);
    await board.get('/queues');
    await redis.kill();
    const answer = await board.get('/queues');
    expect(answer.status).toBe(200);
    expect(queueIn(answer, GROQ).description).toMatch(/^its queue does not answer · open/u);
    expect(board.log.entries.map(({ event }) => event)).toContain('board.queue-silent');
  });
});

describe('pausing lanes from the board', () => {
  test('it is the record that is told, and BullMQ keeps running', async (context) => {
    const { board, service, queues } = await openStage(context);
    expect((await board.send('PUT', `${path(GROQ)}/pause`)).status).toBe(200);
    expect(service.asked).toContain(`pauseLane ${GROQ}`);
    expect(queueIn(await board.get('/queues'), GROQ).isPaused).toBe(true);
    expect(await queues.queueOf(GROQ).isPaused()).toBe(false);
    expect((await board.send('PUT', `${path(GROQ)}/resume`)).status).toBe(200);
    expect(queueIn(await board.get('/queues'), GROQ).isPaused).toBe(false);
  });

  test("BullMQ's own pause is not shown, for it is not the record's", async (context) => {
    const { board, queues } = await openStage(context);
    await queues.queueOf(GROQ).pause();
    expect(queueIn(await board.get('/queues'), GROQ).isPaused).toBe(false);
  });

  test('pausing and resuming all goes to every lane and to no batch', async (context) => {
    const { board, service } = await openStage(context);
    expect((await board.send('PUT', '/queues/pause')).status).toBe(200);
    expect((await board.send('PUT', '/queues/resume')).status).toBe(200);
    expect(service.asked.filter((asked) => asked !== 'lanes')).toEqual([
      `pauseLane ${GROQ}`,
      `pauseLane ${ODD}`,
      `resumeLane ${GROQ}`,
      `resumeLane ${ODD}`,
    ]);
  });

  test("the record's refusal is passed on in its own words", async (context) => {
    const { board, service } = await openStage(context);
    service.batches.pauseLane = async () => {
      throw new BatchRefused('conflict', 'Expected a lane of this configuration.');
    };
    const answer = await board.send('PUT', `${path(GROQ)}/pause`);
    expect([answer.status, refusalIn(answer)]).toEqual([409, 'Expected a lane of this configuration.']);
  });
});

describe('what the board must not do to a lane', () => {
  const CLOSED: readonly (readonly [string, string, unknown?])[] = [
    ['POST', '/add', { name: 'call', data: { grants: [1] }, options: {} }],
    ['PUT', '/retry/failed'],
    ['PUT', '/retry/completed'],
    ['PUT', '/promote'],
    ['PUT', '/clean/wait'],
    ['PUT', '/clean/active'],
    ['PUT', '/clean/delayed'],
    ['PUT', '/clean/completed'],
    ['PUT', '/concurrency', { concurrency: 1 }],
    ['PUT', '/rate-limit', { max: 1, duration: 1_000 }],
    ['PUT', '/rate-limit', { max: null }],
    ['PUT', '/rate-limit/release'],
    ['PUT', '/empty'],
    ['PUT', '/obliterate', { force: true }],
    ['PUT', '/job-schedulers/x/remove'],
    ['PUT', '/job-schedulers/x/run'],
    ['PATCH', '/job-schedulers/x', { every: 1_000 }],
    ['PUT', '/g7/retry'],
    ['PUT', '/g7/promote'],
    ['PUT', '/g7/remove-unprocessed-children'],
    ['PATCH', '/g7/update-data', { jobData: { grants: [8] } }],
    ['PATCH', '/g7/delay', { runAt: 0 }],
    ['PATCH', '/g7/priority', { priority: 1 }],
  ];

  test('every other action is refused with a sentence, and nothing changes', async (context) => {
    const { board, queues } = await failedCall(context);
    const refusals: Answer[] = [];
    for (const [method, action, body] of CLOSED)
      refusals.push(await board.send(method, `${path(GROQ)}${action}`, body));
    expect(refusals.map(({ status }, place) => [CLOSED[place]?.[1], status])).toEqual(
      CLOSED.map(([, action]) => [action, 403]),
    );
    for (const answer of refusals) expect(refusalIn(answer)).toMatch(/\w.*\.$/u);
    const queue = queues.queueOf(GROQ);
    expect(await queue.getJobCounts()).toMatchObject({ failed: 1, waiting: 0, delayed: 0 });
    expect([await queue.getGlobalConcurrency(), await queue.getGlobalRateLimit()]).toEqual([null, null]);
    expect((await queue.getJob('g7'))?.data).toEqual({ grants: [7] });
  });

  test('a call that waits cannot be removed; one that failed can', async (context) => {
    const { board, queues } = await failedCall(context);
    await queues.addCall(GROQ, 8);
    const refused = await board.send('PUT', `${path(GROQ)}/g8/clean`);
    expect([refused.status, refusalIn(refused)]).toEqual([403, expect.stringContaining('waiting')]);
    expect((await board.send('PUT', `${path(GROQ)}/g7/clean`)).status).toBe(204);
    expect(await queues.queueOf(GROQ).getJobCounts()).toMatchObject({ failed: 0, waiting: 1 });
  });

  test('failed calls can be cleaned together', async (context) => {
    const { board } = await openStage(context);
    expect((await board.send('PUT', `${path(GROQ)}/clean/failed`)).status).toBe(200);
  });

  test('the page is told to offer neither retries nor rate limits', async (context) => {
    const { board, queues } = await failedCall(context);
    await queues.queueOf(GROQ).setGlobalConcurrency(3);
    const queue = queueIn(await board.get('/queues'), GROQ);
    expect(queue).toMatchObject({
      allowRetries: false,
      supportsGlobalRateLimit: false,
      globalConcurrency: null,
      activeRateLimitTtl: 0,
    });
  });
});
