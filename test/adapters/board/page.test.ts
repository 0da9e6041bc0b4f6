/** The board as a person sees it, in a real browser. */
import type { Page } from 'playwright-core';
import { type TestContext, describe, expect, test } from 'vitest';
import { openTestBrowser } from '../../browser-fixture.ts';
import { openTestRedis } from '../../redis-fixture.ts';
import { aBatch, aLaneProgress, aStory, openFakeService } from './fake-service.ts';
import { openRedisQueues, openTestBoard } from './open-test-board.ts';

const GROQ = 'groq/gpt-oss-20b';
const ODD = 'openrouter/meta-llama/llama-3.3-70b:free';

const openStage = async (context: TestContext) => {
  const redis = await openTestRedis(context);
  const browser = await openTestBrowser(context);
  const service = openFakeService();
  service.setLanes([aLaneProgress(GROQ), aLaneProgress(ODD)]);
  service.setBatches([aBatch(1, { name: 'docs' })]);
  service.setStories([aStory(7, { laneId: ODD })]);
  const queues = await openRedisQueues(context, redis);
  const board = await openTestBoard(context, service, queues.queueOf);
  return { ...browser, service, queues, board };
};

const pageOf = (url: string, laneId: string): string => `${url}/queue/${encodeURIComponent(laneId)}`;
const PATIENCE = { timeout: 15_000 };
/** What a person can read on the page. */
const wordsOn = (page: Page): Promise<string> => page.locator('body').innerText();

const choose = async (page: Page, action: string): Promise<void> => {
  await page.getByRole('main').getByRole('button').click();
  await page.getByRole('menuitem', { name: action }).click();
  await page.getByRole('button', { name: 'Confirm' }).click();
};

describe('the page of the board', () => {
  test("a batch's progress moves while one looks", async (context) => {
    const { page, board, service } = await openStage(context);
    await page.goto(`${board.url}/queue/batches?status=active`);
    await expect.poll(() => wordsOn(page), PATIENCE).toMatch(/docs — 150 of 5,000[^]*3%/u);
    service.setBatches([aBatch(1, { name: 'docs', succeeded: 2_490 })]);
    await expect.poll(() => wordsOn(page), PATIENCE).toMatch(/docs — 2,500 of 5,000[^]*50%/u);
  });

  test("a failed call's line, batch and reason can be read", async (context) => {
    const { page, board, queues } = await openStage(context);
    await queues.failCall(ODD, 7, 'too-large: the request is too large for this model');
    await page.goto(`${pageOf(board.url, ODD)}?status=failed`);
    await expect.poll(() => wordsOn(page), PATIENCE).toContain('speech-7 of "docs"');
    await expect.poll(() => wordsOn(page), PATIENCE).toContain('NIGHTSHIFT_BOARD_TEXT=1');
    await page.getByRole('tab', { name: 'Error' }).click();
    await expect
      .poll(() => wordsOn(page), PATIENCE)
      .toContain('too-large: the request is too large for this model');
  });

  test('the pause button pauses the lane in the record, and the page says so', async (context) => {
    const { page, board, service } = await openStage(context);
    await page.goto(pageOf(board.url, GROQ));
    await expect.poll(() => wordsOn(page), PATIENCE).toContain('open · 1 worker');
    await choose(page, 'Pause');
    await expect.poll(() => wordsOn(page), PATIENCE).toContain('paused · 1 worker');
    expect(service.asked).toContain(`pauseLane ${GROQ}`);
  });

  test('an action that is closed says why', async (context) => {
    const { page, board } = await openStage(context);
    await page.goto(pageOf(board.url, GROQ));
    await choose(page, 'Empty');
    await expect
      .poll(() => wordsOn(page), PATIENCE)
      .toContain('Use `nightshift cancel BATCH` to give work up');
  });

  test('nothing is asked of another host, and the browser has nothing to complain of', async (context) => {
    const { page, board, queues, foreignRequests, complaints } = await openStage(context);
    await queues.failCall(GROQ, 7, 'too-large: the request is too large for this model');
    await page.goto(board.url);
    await expect.poll(() => wordsOn(page), PATIENCE).toMatch(/Nightshift[^]*openrouter/u);
    await page.goto(`${pageOf(board.url, GROQ)}/g7`);
    await expect.poll(() => wordsOn(page), PATIENCE).toContain('customId');
    expect([foreignRequests, complaints]).toEqual([[], []]);
  });
});
