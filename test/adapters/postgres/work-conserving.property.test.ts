/**
 * No lane with quota and a free slot idles while a request it may serve is pending, unless the plan names a better place or it
 * keeps its quota for one that it wants more; no lane asks again and again; and every line has one final line, whatever fails,
 * dies or is called twice. On a real record, by real plans.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openSolver } from '../../../src/adapters/highs/open-solver.ts';
import { openTestRecord } from '../../postgres-fixture.ts';
import { openStageOfNights } from './a-night-of-grants.ts';
import { someNight } from './any-night-of-grants.ts';

test('lanes take what they may, whatever the night brings', { timeout: 120_000 }, async (context) => {
  const record = await openTestRecord(context);
  await using stage = await openStageOfNights(record, await openSolver());
  const nights = fc.asyncProperty(someNight, async (night) => await stage.play(night));
  await expect(fc.assert(nights, { numRuns: 14 })).resolves.toBeUndefined();
});
