/** What the API says of requests that it cannot serve, and what it is for those who supervise it. */
import { Router } from 'express';
import { afterEach, describe, expect, it } from 'vitest';
import { BatchRefused, type Batches } from '../../../src/app/batches.ts';
import { documents, inputOf, submissionTo } from '../../contracts/batches-under-test.ts';
import { fakeBatches } from './fake-batches.ts';
import { FAKE_POOL } from './fake-lane.ts';
import { ask, type Serving, serving } from './serving.ts';

let served: Serving | null = null;

afterEach(async () => {
  await served?.[Symbol.asyncDispose]();
  served = null;
});

const serve = async (changes: Parameters<typeof serving>[0] = {}): Promise<string> => {
  served = await serving(changes);
  return served.url;
};

/** Serves the fake, in which every question for a status throws this. */
const serveFailing = async (error: unknown): Promise<string> => {
  const status: Batches['status'] = async () => {
    throw error;
  };
  return await serve({ batches: { ...fakeBatches(), status } });
};

/** A service that fails. */
const fail = async (): Promise<never> => {
  throw new Error('secret');
};

const errorIn = (body: string): unknown => {
  const reply: unknown = JSON.parse(body);
  return reply;
};

describe('a route that is none', () => {
  it.each([
    ['/api/batchs', '/api/batches'],
    ['/api/batches/docs/result', '/api/batches/docs/results'],
    ['/api/lane', '/api/lanes'],
    ['/batches', '/api/batches'],
  ])('%s is answered with the nearest, %s', async (path, nearest) => {
    const { status, body } = await ask((await serve()) + path);
    expect(status).toBe(404);
    expect(errorIn(body)).toMatchObject({
      error: { code: 'unknown_route', message: expect.stringContaining(`Did you mean ${nearest}?`) },
    });
  });

  it('near to nothing is answered with where they are listed', async () => {
    const url = await serve();
    expect((await ask(`${url}/completely/else`)).body).toContain('GET /api lists them all.');
    expect((await ask(`${url}/api`)).body).toContain('GET /api/batches/:ref/results');
  });
});

describe('a method that is none', () => {
  it.each([
    ['DELETE', '/api/batches/docs', 'GET, HEAD'],
    ['GET', '/api/batches/docs/cancel', 'POST'],
    ['PUT', '/api/batches', 'POST, GET, HEAD'],
    ['OPTIONS', '/api/lanes', 'GET, HEAD'],
    ['POST', '/readyz', 'GET, HEAD'],
  ])('%s %s is answered with %s', async (method, path, allow) => {
    const { status, headers, body } = await ask((await serve()) + path, { method });
    expect([status, headers.allow]).toEqual([405, allow]);
    expect(errorIn(body)).toMatchObject({ error: { code: 'wrong_method' } });
  });
});

describe('a query', () => {
  it.each([
    ['GET', '/api/batches?limit=1001', 'limit'],
    ['GET', '/api/batches?limit=ten', 'limit'],
    ['GET', '/api/batches?before=-1', 'before'],
    ['GET', '/api/batches?offset=5', 'offset'],
    ['GET', '/api/batches/docs?verbose=1', 'verbose'],
    ['POST', '/api/batches/docs/cancel?force=1', 'force'],
    ['POST', '/api/batches/docs/retry?pools=x', 'pool'],
    ['GET', '/api/lanes?x=1', 'x'],
    ['POST', '/api/lanes/pause', 'lane'],
    ['POST', '/api/lanes/resume?lane=', 'lane'],
  ])('that is broken is refused by name: %s %s', async (method, path, parameter) => {
    const { status, body } = await ask((await serve()) + path, { method });
    expect(status).toBe(400);
    expect(errorIn(body)).toMatchObject({
      error: { code: 'bad_query', message: expect.stringContaining(parameter) },
    });
  });
});

describe('an address', () => {
  it('that cannot be decoded is refused', async () => {
    const { status, body } = await ask(`${await serve()}/api/batches/%E0%A4%A`);
    expect(status).toBe(400);
    expect(errorIn(body)).toMatchObject({ error: { code: 'broken_request' } });
  });
});

describe('a list of batches', () => {
  it('says whether there are more', async () => {
    const url = await serve();
    for (const id of ['a', 'b', 'c']) {
      await served?.batches.submit(
        submissionTo(FAKE_POOL, { name: id }),
        inputOf(documents(id)),
        () => {},
        new AbortController().signal,
      );
    }
    const page = async (query: string): Promise<unknown> =>
      errorIn((await ask(`${url}/api/batches?${query}`)).body);
    expect(await page('limit=2')).toMatchObject({ batches: [{ name: 'c' }, { name: 'b' }], hasMore: true });
    expect(await page('limit=2&before=2')).toMatchObject({ batches: [{ name: 'a' }], hasMore: false });
    expect(await page('limit=3')).toMatchObject({ batches: [{}, {}, {}], hasMore: false });
    expect(await page('before=1')).toEqual({ batches: [], hasMore: false });
  });
});

describe('a lane', () => {
  it('is answered as it is after it was paused', async () => {
    const { body } = await ask(`${await serve()}/api/lanes/pause?lane=alpha/small`, { method: 'POST' });
    expect(errorIn(body)).toMatchObject({ lane: { laneId: 'alpha/small', isPaused: true } });
  });
});

describe('a refusal', () => {
  it.each([
    ['not-found', 404, 'not_found'],
    ['conflict', 409, 'conflict'],
    ['invalid', 422, 'invalid'],
    ['unready', 503, 'unready'],
  ] as const)('that is %s has the status %i', async (kind, status, code) => {
    const url = await serveFailing(new BatchRefused(kind, 'Expected this, got that.'));
    const answer = await ask(`${url}/api/batches/docs`);
    expect([answer.status, errorIn(answer.body)]).toEqual([
      status,
      { error: { code, message: 'Expected this, got that.' } },
    ]);
    expect(answer.headers['retry-after']).toBe(kind === 'unready' ? '5' : undefined);
    expect(served?.entries).toEqual([]);
  });
});

/** As the operating system, PostgreSQL and its library throw them. */
const failure = (message: string, more: object = {}): Error => Object.assign(new Error(message), more);

describe('a record that is away', () => {
  it.each([
    failure('connect ECONNREFUSED 127.0.0.1:5432', { code: 'ECONNREFUSED', syscall: 'connect' }),
    failure('read ECONNRESET', { code: 'ECONNRESET', syscall: 'read' }),
    failure('connect ENOENT /run/.s.PGSQL.5432', { code: 'ENOENT', syscall: 'connect' }),
    failure('getaddrinfo EAI_AGAIN postgres', { code: 'EAI_AGAIN', syscall: 'getaddrinfo' }),
    failure('terminating connection due to administrator command', { code: '57P01' }),
    failure('the database system is starting up', { code: '57P03' }),
    failure('connection failure', { code: '08006' }),
    failure('Connection terminated unexpectedly'),
    failure('timeout exceeded when trying to connect'),
    new Error('Connecting failed.', { cause: failure('Connection terminated') }),
  ])('is answered with 503, for it will be back: %s', async (error) => {
    const { status, headers, body } = await ask(`${await serveFailing(error)}/api/batches/docs`);
    expect([status, headers['retry-after']]).toEqual([503, '5']);
    expect(errorIn(body)).toMatchObject({
      error: { code: 'unready', message: expect.stringContaining('away for a moment') },
    });
    expect(served?.entries).toMatchObject([{ level: 'warn', event: 'record.away', fields: { err: error } }]);
  });

  it.each([
    failure('ENOENT: no such file or directory', { code: 'ENOENT', syscall: 'open' }),
    failure('canceling statement due to statement timeout', { code: '57014' }),
    failure('duplicate key value violates unique constraint', { code: '23505' }),
  ])('is not what a fault is taken for: %s', async (error) => {
    expect((await ask(`${await serveFailing(error)}/api/batches/docs`)).status).toBe(500);
  });
});

describe('a fault', () => {
  it.each([new Error('password in a stack'), 'password in a text'])(
    'is logged under an id, which is all that the answer tells of %s',
    async (error) => {
      const url = await serveFailing(error);
      const { status, body } = await ask(`${url}/api/batches/docs`);
      expect(status).toBe(500);
      expect(body).not.toMatch(/password|at .*\.ts/u);
      const [entry] = served?.entries ?? [];
      expect(entry).toMatchObject({
        level: 'error',
        event: 'request.faulted',
        fields: { err: error, method: 'GET' },
      });
      expect(body).toContain(String(entry?.fields['id']));
    },
  );
});

describe('readiness', () => {
  it('tells what was looked at', async () => {
    const { status, body } = await ask(`${await serve()}/readyz`);
    expect([status, errorIn(body)]).toEqual([
      200,
      { status: 'ready', checks: { record: { ok: true, detail: 'It answers.' } } },
    ]);
  });

  it('is 503 when something is missing', async () => {
    const checks = { queue: { ok: false, detail: 'No answer.' } };
    const { status, body } = await ask(
      `${await serve({ probe: async () => ({ isReady: false, checks }) })}/readyz`,
    );
    expect([status, errorIn(body)]).toEqual([503, { status: 'unready', checks }]);
  });

  it('is 503 when it cannot be told', async () => {
    const { status, body } = await ask(`${await serve({ probe: fail })}/readyz`);
    expect(status).toBe(503);
    expect(body).not.toContain('secret');
    expect(served?.entries).toMatchObject([{ event: 'probe.failed' }]);
  });
});

describe('the front page', () => {
  it('leads to the board', async () => {
    const board = Router().get('/', (_request, response) => void response.send('the board'));
    const url = await serve({ board });
    const { status, headers } = await ask(`${url}/`);
    expect([status, headers.location]).toEqual([302, '/board']);
    expect((await ask(`${url}/board`)).body).toBe('the board');
  });

  it('lists the routes where there is no board', async () => {
    const { body } = await ask(`${await serve()}/`);
    expect(errorIn(body)).toMatchObject({
      service: 'nightshift',
      routes: expect.arrayContaining(['POST /api/batches', 'GET /healthz', 'GET /readyz']),
    });
  });
});
