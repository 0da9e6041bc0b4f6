import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openEventQueue } from '../../scripts/night/simulate/event-queue.ts';

test('events come by time, and those of one instant as they were pushed', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20 })), (instants) => {
      const queue = openEventQueue();
      const told: (readonly [number, number])[] = [];
      instants.forEach((atMs, place) => queue.push({ atMs, run: () => told.push([atMs, place]) }));
      for (let event = queue.pop(); event !== null; event = queue.pop()) event.run();
      const pushed = instants.map((atMs, place) => [atMs, place] as const);
      expect(told).toEqual(pushed.toSorted(([a, i], [b, j]) => a - b || i - j));
    }),
  );
});
