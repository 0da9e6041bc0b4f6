/** The board in a real browser, in front of the real service, while a batch runs on simulated providers. */
import { appRoutes } from '@bull-board/api/dist/routes.js';
import type { Page } from 'playwright-core';
import { expect, test, type TestContext } from 'vitest';
import { openTestBrowser, type TestBrowser } from '../browser-fixture.ts';
import { queueIn } from '../adapters/board/board-json.ts';
import { lanesReply } from '../../src/adapters/http/wire-shapes.ts';
import { describeHomes, type HomeName, isThorough } from '../homes/homes.ts';
import { type Command, requireExit } from './command.ts';
import { onCommonGround } from './ground.ts';
import { chatLine, ids } from './lines.ts';
import { MODEL, provider, until } from './providers.ts';
import { setStage, type Stage } from './stage.ts';

const TOKEN = 'a-token-for-the-board-of-tonight';
const LOGIN = { NIGHTSHIFT_API_TOKEN: TOKEN };
/** In the text of every document, and nowhere else. */
const SECRET = 'lighthouse';
/** More than all tests together see done. */
const LINES = 4_000;
const [STEADY, BRISK, BROKEN] = [`steady/${MODEL}`, `brisk/${MODEL}`, `broken/${MODEL}`];
const LANES = [STEADY, BRISK, BROKEN];
const PATIENCE = { timeout: 20_000 };

const tiers = () => [
  provider('steady', { latencyMs: 400, concurrency: 2 }),
  provider('brisk', { latencyMs: 400, concurrency: 2 }),
  provider('broken', { latencyMs: 100, concurrency: 1 }),
];

/** A service with a batch that runs as long as the tests do. */
interface Night extends AsyncDisposable {
  readonly stage: Stage;
  readonly url: string;
}

const beginNight = async (home: HomeName): Promise<Night> => {
  await using stack = new AsyncDisposableStack();
  const faults = [{ provider: 'broken', kind: 'http-500' }] as const;
  const stage = stack.use(await setStage({ home, tiers: tiers(), faults }));
  const { url } = await startBoard(stage);
  const documents = ids(LINES).map((id) => chatLine(id, { content: `${id} is about a ${SECRET}.` }));
  const input = await stage.write('docs.jsonl', documents);
  requireExit(await stage.run(['submit', input], { environment: LOGIN }), 0);
  const opened = stack.move();
  return { stage, url, [Symbol.asyncDispose]: () => opened.disposeAsync() };
};

/** A process of the service that serves the board. */
interface ServedBoard {
  readonly command: Command;
  readonly url: string;
}

const startBoard = async (
  stage: Stage,
  args: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): Promise<ServedBoard> => {
  const command = stage.start(['up', '--port', '0', ...args], {
    environment: { ...LOGIN, ...environment },
    longestRunMs: 600_000,
  });
  const said = (): string | undefined =>
    /the board is at (?<url>\S+)\/board\n/u.exec(command.stderr())?.groups?.['url'];
  const ended = command.ended.then(({ stderr }) => {
    throw new Error(`Expected the service to serve the board, but it ended. It said:\n${stderr}`);
  });
  await Promise.race([ended, until('the address of the board', () => said() !== undefined)]);
  return { command, url: said() ?? '' };
};

interface AskOptions {
  readonly method?: string;
  /** `null` brings none. */
  readonly token?: string | null;
  readonly accept?: string;
}

interface Told {
  readonly status: number;
  readonly location: string | null;
  readonly text: string;
}

/** What curl would be told. */
const ask = async (
  address: string,
  { method = 'GET', token = TOKEN, accept = '*/*' }: AskOptions = {},
): Promise<Told> => {
  const response = await fetch(address, {
    method,
    redirect: 'manual',
    headers: { accept, ...(token === null ? {} : { authorization: `Bearer ${token}` }) },
  });
  return {
    status: response.status,
    location: response.headers.get('location'),
    text: await response.text(),
  };
};

const queuesAddress = (url: string, name: string, status: string): string =>
  `${url}/board/api/queues?${new URLSearchParams({ activeQueue: name, status, page: '1', jobsPerPage: '50' }).toString()}`;

const queueAddress = (url: string, name: string): string =>
  `${url}/board/api/queues/${encodeURIComponent(name)}`;

/** The ids of the jobs that the board lists under a lane's status. */
const jobIdsIn = async (url: string, laneId: string, status: string): Promise<readonly string[]> => {
  const { status: code, text } = await ask(queuesAddress(url, laneId, status));
  return queueIn({ status: code, body: JSON.parse(text) }, laneId).jobs.map(({ id }) => id);
};

/** The ids of the failed calls of the broken lane, once there are any. */
const failedIdsAt = async (url: string): Promise<readonly string[]> => {
  await expect.poll(() => jobIdsIn(url, BROKEN, 'failed'), PATIENCE).not.toEqual([]);
  return await jobIdsIn(url, BROKEN, 'failed');
};

/** Everything that the board's API tells of a lane's failed calls, and of batches and calls in its lists. */
const everythingTold = async (url: string): Promise<string> => {
  const failedIds = await failedIdsAt(url);
  const addresses = [
    ...['batches', ...LANES].flatMap((name) =>
      ['latest', 'active', 'failed'].map((status) => queuesAddress(url, name, status)),
    ),
    `${queueAddress(url, 'batches')}/1`,
    ...failedIds.flatMap((id) =>
      ['', '/logs', '/flow'].map((part) => `${queueAddress(url, BROKEN)}/${id}${part}`),
    ),
  ];
  const told = await Promise.all(addresses.map((address) => ask(address)));
  return told.map(({ text }) => text).join('\n');
};

/** What a person can read on the page. */
const wordsOn = (page: Page): Promise<string> => page.locator('body').innerText();

const pageOf = (url: string, name: string, status = 'latest'): string =>
  `${url}/board/queue/${encodeURIComponent(name)}?status=${status}`;

const bringToken = async (page: Page, token: string): Promise<void> => {
  await page.getByLabel('Token').fill(token);
  await page.getByRole('button', { name: 'Log in' }).click();
};

/** A browser that has logged in, at this page of the board. */
const openPage = async (context: TestContext, address: string): Promise<TestBrowser> => {
  const browser = await openTestBrowser(context);
  await browser.page.goto(address);
  await bringToken(browser.page, TOKEN);
  await browser.page.waitForURL(address);
  return browser;
};

const choose = async (page: Page, action: string): Promise<void> => {
  await page.getByRole('main').locator('[aria-haspopup="menu"]').click();
  await page.getByRole('menuitem', { name: action }).click();
  await page.getByRole('button', { name: 'Confirm' }).click();
};

/** How far the batch is, as its name and its ring on the page say. */
const progressOn = async (page: Page): Promise<{ readonly lines: number; readonly percent: number }> => {
  const shown = /docs — (?<lines>[\d,]+) of [\d,]+[^]*?(?<percent>\d+)%/u.exec(await wordsOn(page));
  const { lines = 'NaN', percent = 'NaN' } = shown?.groups ?? {};
  return { lines: Number(lines.replaceAll(',', '')), percent: Number(percent) };
};

/** The `custom_id`s of the calls that the page lists. */
const customIdsOn = async (page: Page): Promise<readonly string[]> =>
  [...(await wordsOn(page)).matchAll(/(?<id>\S+) of "docs"/gu)].map(({ groups }) => groups?.['id'] ?? '');

/** Calls that the simulator saw arrive, ended or not. */
const callsAt = ({ simulator }: Stage, providerId: string): number =>
  simulator.stats().providers[providerId]?.calls ?? 0;

const callsUnderWay = async (url: string, laneId: string): Promise<number | undefined> => {
  const { lanes } = lanesReply.parse(JSON.parse((await ask(`${url}/api/lanes`)).text));
  return lanes.find((lane) => lane.laneId === laneId)?.callsUnderWay;
};

/** Resolves when a provider has seen so many more calls. */
const moreCalls = async (stage: Stage, providerId: string, count: number): Promise<void> => {
  const wanted = callsAt(stage, providerId) + count;
  await until(`${count} more calls at ${providerId}`, () => callsAt(stage, providerId) >= wanted);
};

/** Waits for the calls under way of a lane that is paused, and requires that none follows while another lane makes ten. */
const requireRest = async ({ stage, url }: Night): Promise<void> => {
  await expect.poll(() => callsUnderWay(url, STEADY), PATIENCE).toBe(0);
  const calls = callsAt(stage, 'steady');
  await moreCalls(stage, 'brisk', 10);
  expect(callsAt(stage, 'steady')).toBe(calls);
};

/** Of `nightshift status`, the line of a lane. */
const statusOf = async ({ stage }: Night, laneId: string): Promise<string> => {
  const ended = await stage.run(['status', 'docs'], { environment: LOGIN });
  requireExit(ended, 0);
  return ended.stdout.split('\n').find((line) => line.includes(laneId)) ?? '';
};

/** Every address but that of health. */
const CLOSED_PATHS = [
  '/',
  '/board',
  '/board/queue/batches',
  '/board/api/queues',
  '/api',
  '/api/batches',
  '/api/lanes',
  '/readyz',
  '/no-such-page',
];

/** What may be done from the board, by method and route. */
const OPEN_ACTIONS: ReadonlySet<string> = new Set([
  'put /api/queues/pause',
  'put /api/queues/resume',
  'put /api/queues/:queueName/pause',
  'put /api/queues/:queueName/resume',
  // Of calls that failed.
  'put /api/queues/:queueName/clean/:queueStatus',
  'put /api/queues/:queueName/:jobId/clean',
]);

interface Action {
  readonly method: string;
  readonly route: string;
}

/** Every route of Bull Board's own that changes something, so that those of a later version are among them. */
const ACTIONS: readonly Action[] = appRoutes.api.flatMap(({ method, route }) =>
  [method].flat().flatMap((verb) => [route].flat().map((path) => ({ method: verb, route: path }))),
);

const isClosed = ({ method, route }: Action): boolean =>
  method !== 'get' && !OPEN_ACTIONS.has(`${method} ${route}`);

/** Removing jobs that have not failed. */
const OTHER_CLEANINGS: readonly Action[] = [
  'wait',
  'waiting',
  'active',
  'delayed',
  'paused',
  'completed',
].map((status) => ({ method: 'put', route: `/api/queues/:queueName/clean/${status}` }));

const isOfQueue = ({ route }: Action): boolean => route.includes(':queueName');

interface Target {
  readonly queueName: string;
  readonly jobId: string;
}

/** Whether an action is refused with a sentence. */
const isRefused = async (url: string, { method, route }: Action, target: Target): Promise<boolean> => {
  const path = route
    .replace(':queueName', encodeURIComponent(target.queueName))
    .replace(':jobId', target.jobId)
    .replace(':queueStatus', 'failed')
    .replace(':schedulerId', 'any');
  const { status, text } = await ask(`${url}/board${path}`, { method: method.toUpperCase() });
  return status === 403 && /"message":"[A-Z][^"]+\."/u.test(text);
};

/** Those actions that were carried out, or failed without a word. */
const unrefused = async (url: string, actions: readonly Action[], target: Target) => {
  const refusals = await Promise.all(actions.map((action) => isRefused(url, action, target)));
  return actions.filter((_, index) => refusals[index] === false);
};

describeHomes((home) => {
  let night: Night;

  onCommonGround(async (ground) => {
    night = ground.use(await beginNight(home));
  });

  test('Whoever brings no token, or a wrong one, learns that the service lives and nothing else', async () => {
    const { url } = night;
    expect(await ask(`${url}/healthz`, { token: null })).toMatchObject({ status: 200 });
    for (const path of CLOSED_PATHS) {
      for (const token of [null, 'not-the-token-of-tonight']) {
        const refused = await ask(`${url}${path}`, { token });
        expect([path, refused.status]).toEqual([path, 401]);
        expect(refused.text).toMatch(/NIGHTSHIFT_API_TOKEN|Reload the page to log in again/u);
      }
      const sent = await ask(`${url}${path}`, { token: null, accept: 'text/html' });
      expect([sent.status, sent.location]).toEqual([303, `/login?next=${encodeURIComponent(path)}`]);
      expect(sent.text).not.toContain('docs');
    }
  });

  test('Whoever brings no token changes nothing', async () => {
    const { url, stage } = night;
    const actions = [
      `${url}/board/api/queues/pause`,
      `${queueAddress(url, STEADY)}/pause`,
      `${url}/api/batches/docs/cancel`,
    ];
    for (const address of actions) {
      for (const method of ['PUT', 'POST']) {
        expect(await ask(address, { method, token: null })).toMatchObject({ status: 401 });
      }
    }
    await moreCalls(stage, 'steady', 3);
  });

  test.runIf(isThorough(home))(
    'A wrong token is refused in words, the right one leads to the board, and logging out ends it',
    async (context) => {
      const { url } = night;
      const { page } = await openTestBrowser(context);
      await page.goto(`${url}/board`);
      expect(new URL(page.url()).pathname).toBe('/login');

      await bringToken(page, 'not-the-token-of-tonight');
      await expect.poll(() => wordsOn(page), PATIENCE).toContain('That is not the token of this service.');
      expect((await page.request.get(`${url}/board/api/queues`)).status()).toBe(401);

      await bringToken(page, TOKEN);
      await page.waitForURL(`${url}/board`);
      await expect.poll(() => wordsOn(page), PATIENCE).toMatch(/batches[^]*brisk/u);

      await page.request.post(`${url}/logout`);
      expect((await page.request.get(`${url}/board/api/queues`)).status()).toBe(401);
      await page.goto(`${url}/board`);
      expect(new URL(page.url()).pathname).toBe('/login');
      expect(await wordsOn(page)).not.toContain('batches');
    },
  );

  test.runIf(isThorough(home))(
    'A page that is still open when its session ends says that one must log in again',
    async (context) => {
      const { page } = await openPage(context, pageOf(night.url, 'batches', 'active'));
      await expect.poll(() => wordsOn(page), PATIENCE).toContain('docs — ');
      await page.context().clearCookies();
      await expect.poll(() => wordsOn(page), PATIENCE).toMatch(/log in/iu);
    },
  );

  test("The batch's progress moves on the page while it runs", async (context) => {
    const { page } = await openPage(context, pageOf(night.url, 'batches', 'active'));
    await expect.poll(async () => (await progressOn(page)).lines, PATIENCE).toBeGreaterThan(0);
    const first = await progressOn(page);
    await expect.poll(async () => (await progressOn(page)).percent, PATIENCE).toBeGreaterThan(first.percent);
    const second = await progressOn(page);
    expect(second.lines).toBeGreaterThan(first.lines);
    expect(second.percent).toBe(Math.floor((second.lines / LINES) * 100));
  });

  test('A failed call stands under its lane with its custom_id and the reason', async (context) => {
    const { url, stage } = night;
    const { page } = await openPage(context, pageOf(url, BROKEN, 'failed'));
    await expect.poll(() => customIdsOn(page), PATIENCE).not.toEqual([]);
    const shown = await customIdsOn(page);
    const failed = stage.simulator.calls().filter((call) => call.provider === 'broken');
    expect(failed.map(({ customId }) => customId)).toEqual(expect.arrayContaining([...shown]));

    await page.getByRole('tab', { name: 'Error' }).first().click();
    await expect.poll(() => wordsOn(page), PATIENCE).toContain('sick: HTTP 500');
  });

  test('The text of documents is told nowhere', async (context) => {
    const { url } = night;
    const { page } = await openPage(context, pageOf(url, BROKEN, 'failed'));
    await expect.poll(() => wordsOn(page), PATIENCE).toContain('hidden; NIGHTSHIFT_BOARD_TEXT=1 shows it');
    expect(await page.content()).not.toContain(SECRET);
    const told = await everythingTold(url);
    expect(told).toContain('sick');
    expect(told).not.toContain(SECRET);
  });

  test.runIf(isThorough(home))('NIGHTSHIFT_BOARD_TEXT=1 shows the text of documents', async (context) => {
    const { stage } = night;
    const shown = { NIGHTSHIFT_BOARD_TEXT: '1' };
    const { url, command } = await startBoard(stage, ['--role', 'api'], shown);
    const { page } = await openPage(context, pageOf(url, BROKEN, 'failed'));
    await expect.poll(() => wordsOn(page), PATIENCE).toContain(SECRET);
    expect(await everythingTold(url)).toContain(SECRET);
    command.kill('SIGTERM');
    requireExit(await command.ended, 0);
  });

  test('A lane paused by the button gets no call while others go on, until the button resumes it', async (context) => {
    const { page } = await openPage(context, pageOf(night.url, STEADY));
    await expect.poll(() => wordsOn(page), PATIENCE).toContain('open · 1 worker');

    await choose(page, 'Pause');
    await expect.poll(() => wordsOn(page), PATIENCE).toContain('paused · 1 worker');
    await requireRest(night);
    expect(await statusOf(night, STEADY)).toMatch(/ paused$/u);
    expect(await statusOf(night, BRISK)).not.toContain('paused');

    await choose(page, 'Resume');
    await expect.poll(() => wordsOn(page), PATIENCE).toContain('open · 1 worker');
    await moreCalls(night.stage, 'steady', 3);
  });

  test('A lane that commands pause and resume is seen so by whoever looks', async (context) => {
    const { stage, url } = night;
    const { page } = await openPage(context, pageOf(url, STEADY));
    await expect.poll(() => wordsOn(page), PATIENCE).toContain('open · 1 worker');

    requireExit(await stage.run(['pause', '--lane', STEADY], { environment: LOGIN }), 0);
    await expect.poll(() => wordsOn(page), PATIENCE).toMatch(/paused · 1 worker[^]*\[ Paused \]/u);
    await requireRest(night);

    requireExit(await stage.run(['resume', '--lane', STEADY], { environment: LOGIN }), 0);
    await expect.poll(() => wordsOn(page), PATIENCE).toContain('open · 1 worker');
    await moreCalls(stage, 'steady', 3);
  });

  test('An action that would break the rules of the record is refused, and the batch goes on', async () => {
    const { url, stage } = night;
    const failedIds = await failedIdsAt(url);
    const target = { queueName: BROKEN, jobId: failedIds[0] ?? '' };
    const closed = ACTIONS.filter(isClosed);
    expect(closed.length).toBeGreaterThanOrEqual(17);

    expect(await unrefused(url, closed, target)).toEqual([]);
    expect(await unrefused(url, closed, { ...target, queueName: STEADY })).toEqual([]);
    expect(await unrefused(url, OTHER_CLEANINGS, target)).toEqual([]);

    expect(await jobIdsIn(url, BROKEN, 'failed')).toEqual(expect.arrayContaining([...failedIds]));
    for (const name of ['steady', 'brisk']) await moreCalls(stage, name, 3);
  });

  test('A batch is not changed from the board', async () => {
    const { url } = night;
    const ofQueues = ACTIONS.filter((action) => action.method !== 'get' && isOfQueue(action));
    expect(await unrefused(url, ofQueues, { queueName: 'batches', jobId: '1' })).toEqual([]);
    expect(await night.stage.ask('SELECT state FROM batch')).toBe('in_progress');
  });

  test.runIf(isThorough(home))(
    'No page asks anything of another host, and the browser has nothing to complain of',
    async (context) => {
      const { url } = night;
      const { page, foreignRequests, complaints } = await openPage(context, `${url}/board`);
      await expect.poll(() => wordsOn(page), PATIENCE).toMatch(/batches[^]*brisk/u);
      const [failedId = ''] = await failedIdsAt(url);
      const pages = [
        { address: pageOf(url, 'batches'), words: 'docs — ' },
        { address: `${url}/board/queue/batches/1`, words: 'underWay' },
        { address: pageOf(url, STEADY), words: 'open · 1 worker' },
        { address: `${url}/board/queue/${encodeURIComponent(BROKEN)}/${failedId}`, words: 'customId' },
      ];
      for (const { address, words } of pages) {
        await page.goto(address);
        await expect.poll(() => wordsOn(page), PATIENCE).toContain(words);
      }
      expect([foreignRequests, complaints]).toEqual([[], []]);
    },
  );
});
