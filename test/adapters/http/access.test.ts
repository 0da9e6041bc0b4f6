/** Who is let in: by token, by session, and by nothing where only this machine can ask. */
import { createHmac } from 'node:crypto';
import { Router } from 'express';
import { afterEach, describe, expect, it } from 'vitest';
import { serveHttp } from '../../../src/adapters/http/serve.ts';
import { sessionCookie } from '../../../src/adapters/http/session.ts';
import { type Answer, ask, type Serving, serving, TOKEN } from './serving.ts';

let served: Serving | null = null;

afterEach(async () => {
  await served?.[Symbol.asyncDispose]();
  served = null;
});

/** A board that says that it was reached. */
const aBoard = (): Router =>
  Router().use((request, response) => {
    response.json({ board: request.method });
  });

const serveWithToken = async (): Promise<string> => {
  served = await serving({ token: TOKEN, board: aBoard() });
  return served.url;
};

const serveWithoutToken = async (): Promise<string> => {
  served = await serving({ board: aBoard() });
  return served.url;
};

/** Every route behind the guard. */
const GUARDED = [
  ['GET', '/'],
  ['GET', '/readyz'],
  ['GET', '/api'],
  ['POST', '/api/batches?name=docs'],
  ['GET', '/api/batches'],
  ['GET', '/api/batches/docs'],
  ['GET', '/api/batches/docs/results'],
  ['POST', '/api/batches/docs/cancel'],
  ['POST', '/api/batches/docs/pause'],
  ['POST', '/api/batches/docs/resume'],
  ['POST', '/api/batches/docs/retry'],
  ['GET', '/api/batches/docs/lanes'],
  ['GET', '/api/lanes'],
  ['POST', '/api/lanes/pause?lane=a/b'],
  ['POST', '/api/lanes/resume?lane=a/b'],
  ['GET', '/api/nothing'],
  ['GET', '/board'],
  ['GET', '/board/api/queues'],
  ['PUT', '/board/api/queues/x/pause'],
  ['POST', '/logout'],
  ['DELETE', '/anything'],
] as const;

const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });

/** The cookie of a login, as a browser sends it back. */
const cookieIn = ({ headers }: Answer): string => headers['set-cookie']?.[0]?.split(';')[0] ?? '';

const logIn = async (url: string, token = TOKEN, next = '/board'): Promise<Answer> =>
  await ask(`${url}/login?${new URLSearchParams({ next }).toString()}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ token }).toString(),
  });

/** What serving there ends with. */
const refusal = async (host: string, token: string | null): Promise<string> =>
  await serving({ host, token }).then(
    async (opened) => {
      await opened[Symbol.asyncDispose]();
      return 'served';
    },
    (error: unknown) => String(error),
  );

describe('where the service listens', () => {
  it.each(['0.0.0.0', '::', '192.168.1.2', 'example.com', '', '127.0.0.1.example.com'])(
    'is not %j without a token',
    async (host) => {
      expect(await refusal(host, null)).toContain('NIGHTSHIFT_API_TOKEN');
    },
  );

  it.each(['short', 'fifteen-letters', 'a token with spaces in it', 'ein-schlüssel-mit-umlaut'])(
    'is nowhere with the token %j, which the message does not repeat',
    async (token) => {
      const message = await refusal('127.0.0.1', token);
      expect(message).toContain('NIGHTSHIFT_API_TOKEN');
      expect(message).not.toContain(token);
    },
  );

  it('is everywhere with a token, and the address given is one that can be called', async () => {
    served = await serving({ host: '0.0.0.0', token: TOKEN });
    expect((await ask(`${served.url}/healthz`)).body).toBe('{"status":"ok"}');
  });

  it('is not a port that is taken', async () => {
    served = await serving();
    await expect(serving({ port: served.service.port })).rejects.toThrow('EADDRINUSE');
  });

  it('is refused before anything is made or listens', async () => {
    served = await serving();
    const { batches, spoolDirectory } = served;
    const refused = serveHttp({
      host: '0.0.0.0',
      port: 0,
      token: null,
      batches,
      probe: async () => ({ isReady: true, checks: {} }),
      board: null,
      spoolDirectory: `${spoolDirectory}/never`,
      log: { info: () => {}, warn: () => {}, error: () => {} },
    });
    await expect(refused).rejects.toThrow('got none for the host 0.0.0.0');
  });
});

describe('with a token', () => {
  it.each(GUARDED)('%s %s is refused without it', async (method, path) => {
    const { status, headers, body } = await ask((await serveWithToken()) + path, { method });
    expect([status, headers['www-authenticate']]).toEqual([401, 'Bearer realm="nightshift"']);
    // The board's page shows nothing of the API's form.
    const said = path.startsWith('/board') ? 'Not logged in' : { code: 'unauthorized' };
    expect(JSON.parse(body)).toMatchObject({ error: said });
    expect(body).not.toContain(TOKEN);
  });

  it.each(GUARDED)('%s %s lets the right one in', async (method, path) => {
    const { status } = await ask((await serveWithToken()) + path, { method, headers: bearer(TOKEN) });
    expect(status).not.toBe(401);
  });

  it('refuses a wrong one on every route, and logs that without it', async () => {
    const url = await serveWithToken();
    const wrong = `${TOKEN.slice(0, -1)}x`;
    const answers = await Promise.all(
      GUARDED.map(async ([method, path]) => await ask(url + path, { method, headers: bearer(wrong) })),
    );
    expect(answers.map(({ status }) => status)).toEqual(GUARDED.map(() => 401));
    expect(served?.entries.filter(({ event }) => event === 'token.refused')).toHaveLength(GUARDED.length);
    const said = JSON.stringify([answers, served?.entries]);
    expect(said).not.toContain(wrong);
    expect(said).not.toContain(TOKEN);
  });

  it.each(['Bearer', 'Bearer ', `Basic ${TOKEN}`, TOKEN, `Bearer ${TOKEN} ${TOKEN}`, `Bearer ${TOKEN}, x`])(
    'refuses the header %j',
    async (authorization) => {
      const { status } = await ask(`${await serveWithToken()}/api/lanes`, { headers: { authorization } });
      expect(status).toBe(401);
    },
  );

  it('is healthy for everybody', async () => {
    const { status, body } = await ask(`${await serveWithToken()}/healthz`, {
      headers: { host: 'x.example' },
    });
    expect([status, body]).toEqual([200, '{"status":"ok"}']);
  });

  it('answers under any name', async () => {
    const headers = { ...bearer(TOKEN), host: 'night.example' };
    expect((await ask(`${await serveWithToken()}/api/lanes`, { headers })).status).toBe(200);
  });

  it('sends a browser to the login page and from there back to where it wanted to go', async () => {
    const url = await serveWithToken();
    const { status, headers } = await ask(`${url}/board/queue/x?page=2`, {
      headers: { accept: 'text/html,*/*' },
    });
    expect(status).toBe(303);
    expect(headers.location).toBe('/login?next=%2Fboard%2Fqueue%2Fx%3Fpage%3D2');
    const page = await ask(url + headers.location);
    expect(page.body).toContain('action="/login?next=%2Fboard%2Fqueue%2Fx%3Fpage%3D2"');
    const login = await logIn(url, TOKEN, '/board/queue/x?page=2');
    expect([login.status, login.headers.location]).toEqual([303, '/board/queue/x?page=2']);
  });
});

describe('the login page', () => {
  it('loads nothing, runs nothing, and may not be framed', async () => {
    const { status, headers, body } = await ask(`${await serveWithToken()}/login`);
    expect(status).toBe(200);
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
    expect(headers['cache-control']).toBe('no-store');
    expect(body).not.toMatch(/<script|https?:|\bon[a-z]+=|url\(/iu);
  });

  it('keeps what it is given from becoming a part of the page', async () => {
    const next = encodeURIComponent('/"><script>alert(1)</script>');
    const { body } = await ask(`${await serveWithToken()}/login?next=${next}`);
    expect(body).not.toContain('<script>');
  });

  it('says that a token was wrong, and gives no session for it', async () => {
    const { status, headers, body } = await logIn(await serveWithToken(), 'another-token-altogether');
    expect([status, headers['set-cookie']]).toEqual([401, undefined]);
    expect(body).toContain('That is not the token');
    expect(JSON.stringify([body, served?.entries])).not.toContain('another-token-altogether');
  });

  it.each([
    'https://evil.example/',
    '//evil.example/',
    '/\\evil.example/',
    '\\\\evil.example',
    '/\t/evil.example',
    '/.//evil.example',
    '/a/..//evil.example',
    'javascript:alert(1)',
    'board',
    '',
    '/%0d%0aset-cookie:x=y/..//evil.example',
  ])('leads to the board where it was told to lead to %j', async (next) => {
    const url = await serveWithToken();
    expect((await logIn(url, TOKEN, next)).headers.location).toBe('/board');
  });

  it('leads on where no token is wanted', async () => {
    const { status, headers } = await ask(`${await serveWithoutToken()}/login?next=/board/x`);
    expect([status, headers.location]).toEqual([303, '/board/x']);
  });
});

/** The status of an answer for a browser with that cookie. */
const lanes = async (url: string, cookie: string): Promise<number> =>
  (await ask(`${url}/api/lanes`, { headers: { cookie } })).status;

/** The cookie of a session that began so long ago. */
const begunAgo = (ms: number): string => sessionCookie(TOKEN, Date.now() - ms, false).split(';')[0] ?? '';

describe('a session', () => {
  it('is a cookie that scripts and other sites cannot use', async () => {
    const [cookie] = (await logIn(await serveWithToken())).headers['set-cookie'] ?? [];
    expect(cookie).toMatch(
      /^nightshift_session=\d+\.[\w-]{43}; Path=\/; Max-Age=604800; HttpOnly; SameSite=Strict$/u,
    );
  });

  it('is for encrypted connections only where a proxy says that this is one', async () => {
    const { headers } = await ask(`${await serveWithToken()}/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-forwarded-proto': 'https' },
      body: `token=${TOKEN}`,
    });
    expect(headers['set-cookie']?.[0]).toMatch(/; Secure$/u);
  });

  it('lets in, in another process with the same token too', async () => {
    const url = await serveWithToken();
    const cookie = cookieIn(await logIn(url));
    expect(await lanes(url, cookie)).toBe(200);
    expect(await lanes(url, `theme=dark; ${cookie}; more=1`)).toBe(200);
    await using other = await serving({ token: TOKEN });
    expect(await lanes(other.url, cookie)).toBe(200);
  });

  it('is worth nothing where the token is another', async () => {
    const cookie = cookieIn(await logIn(await serveWithToken()));
    await using other = await serving({ token: `${TOKEN}-of-today` });
    expect(await lanes(other.url, cookie)).toBe(401);
  });

  it('ends after seven days', async () => {
    const url = await serveWithToken();
    const weekMs = 7 * 24 * 3_600_000;
    expect(await lanes(url, begunAgo(weekMs - 60_000))).toBe(200);
    expect(await lanes(url, begunAgo(weekMs + 1))).toBe(401);
  });

  it('cannot be made longer, or made at all', async () => {
    const url = await serveWithToken();
    const [name = '', value = ''] = cookieIn(await logIn(url)).split('=');
    const [expires = '', proof = ''] = value.split('.');
    const later = String(Number(expires) + 1_000);
    const guessed = createHmac('sha256', '').update(`nightshift session until ${later}`).digest('base64url');
    const forged = [
      `${later}.${proof}`,
      `${expires}.${proof.slice(0, -1)}`,
      `${expires}.${proof}=`,
      `${expires}.`,
      `.${proof}`,
      `0${expires}.${proof}`,
      `${later}.${guessed}`,
      `Infinity.${proof}`,
      '',
      TOKEN,
    ];
    const statuses = await Promise.all(forged.map(async (made) => await lanes(url, `${name}=${made}`)));
    expect(statuses).toEqual(forged.map(() => 401));
  });

  it('is forgotten at the logout', async () => {
    const url = await serveWithToken();
    const cookie = cookieIn(await logIn(url));
    const { status, headers } = await ask(`${url}/logout`, { method: 'POST', headers: { cookie } });
    expect([status, headers.location]).toEqual([303, '/login']);
    expect(headers['set-cookie']?.[0]).toMatch(/^nightshift_session=; Path=\/; Max-Age=0;/u);
  });

  it.each(['https://evil.example', 'null', 'http://127.0.0.1:1', 'not an origin'])(
    'does not act for a page of the origin %s',
    async (origin) => {
      const url = await serveWithToken();
      const headers = { cookie: cookieIn(await logIn(url)), origin };
      const path = '/api/lanes/pause?lane=alpha/small';
      expect((await ask(url + path, { method: 'POST', headers })).status).toBe(403);
      expect((await ask(`${url}/board/api/x`, { method: 'PUT', headers })).status).toBe(403);
      expect((await ask(`${url}/logout`, { method: 'POST', headers })).status).toBe(403);
      expect((await served?.batches.lanes())?.[0]?.isPaused).toBe(false);
    },
  );

  it('acts for its own pages, behind a proxy that speaks HTTPS too', async () => {
    const url = await serveWithToken();
    const cookie = cookieIn(await logIn(url));
    const path = '/api/lanes/pause?lane=alpha/small';
    const own = { cookie, origin: url };
    expect((await ask(url + path, { method: 'POST', headers: own })).status).toBe(200);
    const proxied = { cookie, origin: 'https://night.example', host: 'night.example:443' };
    expect((await ask(url + path, { method: 'POST', headers: proxied })).status).toBe(200);
  });
});

describe('without a token', () => {
  it.each(['127.0.0.1', '127.1.2.3:80', 'localhost', 'LOCALHOST:4400', '[::1]:4400'])(
    'answers under the name %s',
    async (host) => {
      expect((await ask(`${await serveWithoutToken()}/api/lanes`, { headers: { host } })).status).toBe(200);
    },
  );

  it.each(['evil.example', '127.0.0.1.evil.example', 'localhost.evil.example', 'evil@localhost', '10.0.0.1'])(
    'refuses every route under the name %j: it may be a name that was bent to point here',
    async (host) => {
      const url = await serveWithoutToken();
      const answers = await Promise.all(
        GUARDED.map(async ([method, path]) => await ask(url + path, { method, headers: { host } })),
      );
      expect(answers.map(({ status }) => status)).toEqual(GUARDED.map(() => 403));
    },
  );

  it.each(['https://evil.example', 'null', 'http://localhost:1'])(
    'changes nothing for a page of the origin %s',
    async (origin) => {
      const url = await serveWithoutToken();
      const { status, body } = await ask(`${url}/api/lanes/pause?lane=alpha/small`, {
        method: 'POST',
        headers: { origin },
      });
      expect(status).toBe(403);
      expect(JSON.parse(body)).toMatchObject({ error: { code: 'forbidden' } });
      expect((await served?.batches.lanes())?.[0]?.isPaused).toBe(false);
      expect((await ask(`${url}/api/lanes`, { headers: { origin } })).status).toBe(200);
    },
  );

  it('changes what its own pages ask for', async () => {
    const url = await serveWithoutToken();
    const { status } = await ask(`${url}/api/lanes/pause?lane=alpha/small`, {
      method: 'POST',
      headers: { origin: url },
    });
    expect(status).toBe(200);
  });
});

describe('headers', () => {
  it.each(['/healthz', '/api/lanes', '/api/nothing', '/login', '/board'])(
    'of %s give browsers no leeway',
    async (path) => {
      const { headers } = await ask((await serveWithToken()) + path, { headers: bearer(TOKEN) });
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'content-security-policy': expect.stringContaining("frame-ancestors 'none'"),
      });
      expect(headers).not.toHaveProperty('x-powered-by');
    },
  );

  it('of the API forbid to store an answer', async () => {
    const { headers } = await ask(`${await serveWithToken()}/api/lanes`, { headers: bearer(TOKEN) });
    expect(headers['cache-control']).toBe('no-store');
  });
});
