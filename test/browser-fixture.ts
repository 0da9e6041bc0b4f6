/** A real browser for a test. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, type Page, chromium } from 'playwright-core';
import type { TestContext } from 'vitest';

const PROGRAM = '/usr/bin/chromium';
/** Less than a test has, so that the step that failed is named. */
const STEP_MS = 10_000;

/** One window of a fresh browser. */
export interface TestBrowser {
  readonly page: Page;
  /** What the page asked of hosts other than `localhost` and `127.0.0.1`, blocked or not. */
  readonly foreignRequests: readonly string[];
  /** Errors that the page wrote to the console or did not catch. */
  readonly complaints: readonly string[];
}

/**
 * Opens Chromium with an empty profile, which ends with the test. Without a Chromium the test is skipped, with a loud
 * line; it fails instead where `CI=true` or `NIGHTSHIFT_REQUIRE_REDIS=1`.
 */
export const openTestBrowser = async (context: TestContext): Promise<TestBrowser> => {
  if (!existsSync(PROGRAM)) return withoutBrowser(context);
  const profile = await mkdtemp(join(tmpdir(), 'nightshift-chromium-'));
  context.onTestFinished(() => rm(profile, { recursive: true, force: true, maxRetries: 5 }));
  const browser = await chromium.launchPersistentContext(profile, {
    executablePath: PROGRAM,
    args: ['--no-sandbox'],
    headless: true,
    locale: 'en-US',
    viewport: { width: 1_280, height: 900 },
  });
  context.onTestFinished(() => browser.close());
  return watched(browser);
};

const watched = async (browser: BrowserContext): Promise<TestBrowser> => {
  const foreignRequests: string[] = [];
  const complaints: string[] = [];
  browser.on('request', (request) => {
    if (isForeign(request.url())) foreignRequests.push(request.url());
  });
  const page = browser.pages()[0] ?? (await browser.newPage());
  page.setDefaultTimeout(STEP_MS);
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  return { page, foreignRequests, complaints };
};

const isForeign = (address: string): boolean => {
  const { protocol, hostname } = new URL(address);
  return protocol.startsWith('http') && hostname !== '127.0.0.1' && hostname !== 'localhost';
};

const withoutBrowser = (context: TestContext): never => {
  const { CI, NIGHTSHIFT_REQUIRE_REDIS } = process.env;
  const message = `Expected a Chromium at ${PROGRAM}, got none. Install chromium to run this test.`;
  if (CI === 'true' || NIGHTSHIFT_REQUIRE_REDIS === '1') throw new Error(message);
  console.warn(`SKIPPED, no Chromium: ${context.task.fullTestName}`);
  return context.skip(message);
};
