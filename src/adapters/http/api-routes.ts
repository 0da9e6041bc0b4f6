/** Every route below `/api`: what it reads from the query, what it asks of {@link Batches}, and the form of its answer. */
import type { Request, Response } from 'express';
import type { Batches } from '../../app/batches.ts';
import { answerWithNotices } from './notices.ts';
import { queryOf, requiredText, text, wholeNumber } from './query.ts';
import { refOf } from './refs.ts';
import { streamResults } from './results-route.ts';
import type { Route } from './routes.ts';
import { submitBatch } from './submit-route.ts';

/** Most batches in one answer. */
const MOST_BATCHES = 1_000;
const DEFAULT_BATCHES = 100;

/** The routes over these batches. Uploads are kept in `spoolDirectory` while they are read. */
export const apiRoutes = (batches: Batches, spoolDirectory: string): readonly Route[] => [
  { method: 'POST', path: '/api/batches', handle: submitBatch(batches, spoolDirectory) },
  json('GET', '/api/batches', (request) => listBatches(batches, request)),
  json('GET', '/api/batches/:ref', async (request) => {
    queryOf(request);
    return await batches.status(refOf(request));
  }),
  { method: 'GET', path: '/api/batches/:ref/results', handle: streamResults(batches) },
  ...(['cancel', 'pause', 'resume'] as const).map((action) =>
    json('POST', `/api/batches/:ref/${action}`, async (request) => {
      queryOf(request);
      return { batch: await batches[action](refOf(request)) };
    }),
  ),
  {
    method: 'POST',
    path: '/api/batches/:ref/retry',
    handle: async (request, response) => {
      const pool = queryOf(request, 'pool')('pool', text);
      await answerWithNotices(batches, response, await batches.retry(refOf(request), { pool }));
    },
  },
  json('GET', '/api/batches/:ref/lanes', async (request) => {
    queryOf(request);
    return { lanes: await batches.laneTotals(refOf(request)) };
  }),
  json('GET', '/api/lanes', async (request) => {
    queryOf(request);
    return { lanes: await batches.lanes() };
  }),
  laneRoute('/api/lanes/pause', batches, (laneId) => batches.pauseLane(laneId)),
  laneRoute('/api/lanes/resume', batches, (laneId) => batches.resumeLane(laneId)),
];

const json = (
  method: Route['method'],
  path: string,
  answer: (request: Request) => Promise<object>,
): Route => ({
  method,
  path,
  handle: async (request: Request, response: Response) => {
    response.json(await answer(request));
  },
});

const listBatches = async (batches: Batches, request: Request): Promise<object> => {
  const read = queryOf(request, 'limit', 'before');
  const atMost = read('limit', wholeNumber(MOST_BATCHES)) ?? DEFAULT_BATCHES;
  const beforeId = read('before', wholeNumber(Number.MAX_SAFE_INTEGER));
  const page = await batches.list({ atMost, beforeId });
  const last = page.at(-1);
  const isFull = last !== undefined && page.length >= atMost;
  const following = isFull ? await batches.list({ atMost: 1, beforeId: last.id }) : [];
  return { batches: page, hasMore: following.length > 0 };
};

const laneRoute = (path: string, batches: Batches, act: (laneId: string) => Promise<void>): Route =>
  json('POST', path, async (request) => {
    const laneId = queryOf(request, 'lane')('lane', requiredText);
    await act(laneId);
    const lanes = await batches.lanes();
    return { lane: lanes.find((lane) => lane.laneId === laneId) ?? null };
  });
