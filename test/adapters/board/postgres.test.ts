/** The board where BullMQ keeps its queues in PostgreSQL. */
import { expect, test } from 'vitest';
import { openTestRecord } from '../../postgres-fixture.ts';
import { jobIn, queueIn } from './board-json.ts';
import { aLaneProgress, aStory, openFakeService } from './fake-service.ts';
import { openPostgresQueues, openTestBoard } from './open-test-board.ts';

const LANE = 'openrouter/meta-llama/llama-3.3-70b:free';

test('failed calls are shown and removed as they are on Redis', async (context) => {
  const { address } = await openTestRecord(context);
  const queues = await openPostgresQueues(context, address);
  const service = openFakeService();
  service.setLanes([aLaneProgress(LANE)]);
  service.setStories([aStory(7, { laneId: LANE })]);
  const board = await openTestBoard(context, service, queues.queueOf);
  await queues.failCall(LANE, 7, 'too-large: the request is too large for this model');
  const lane = `/queues/${encodeURIComponent(LANE)}`;
  const listed = queueIn(
    await board.get(`/queues?activeQueue=${encodeURIComponent(LANE)}&status=failed`),
    LANE,
  );
  expect(listed).toMatchObject({ counts: { failed: 1 }, jobs: [{ name: 'speech-7 of "docs"' }] });
  expect(jobIn(await board.get(`${lane}/g7`)).job.failedReason).toBe(
    'too-large: the request is too large for this model',
  );
  expect((await board.send('PUT', `${lane}/g7/clean`)).status).toBe(204);
  expect(queueIn(await board.get('/queues'), LANE).counts['failed']).toBe(0);
});
