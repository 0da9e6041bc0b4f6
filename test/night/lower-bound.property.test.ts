import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openLeastPossible } from '../../scripts/night/least-possible.ts';
import { greedyMs } from './a-greedy-night.ts';
import { anyNight } from './any-night.ts';

const solver = await openLeastPossible();
test(
  'no way to make the calls takes less than the least possible time, whatever the windows',
  { timeout: 60_000 },
  () => {
    fc.assert(
      fc.property(anyNight, (night) => {
        expect(solver.leastPossible(night).leastMs).toBeLessThanOrEqual(greedyMs(night));
      }),
      { numRuns: 60 },
    );
  },
);

test('in no time more documents can be done than the bound says', { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(anyNight, fc.integer({ min: 1, max: 10 }), (night, tenths) => {
      const few = Math.ceil((night.documents.length * tenths) / 10);
      const part = { ...night, documents: night.documents.slice(0, few) };
      expect(solver.mostDocumentsBy(night, greedyMs(part))).toBeGreaterThanOrEqual(few);
    }),
    { numRuns: 60 },
  );
});
