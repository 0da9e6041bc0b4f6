/** Random windows with boundaries, and instants near where clocks and months change. */
import fc from 'fast-check';
import type { AlignedWindow } from '../../src/core/quota/window.ts';
import { TIME_ZONES, instantArbitrary } from './quota-commands.ts';

const HOUR_MS = 3_600_000;
const timeZone = fc.constantFrom(...TIME_ZONES);

/** Anchors anywhere: on the 29th to 31st, and where a clock skips or repeats an hour. */
const alignedWindowArbitrary: fc.Arbitrary<AlignedWindow> = fc.oneof(
  fc.record({
    kind: fc.constant('fixed' as const),
    perMs: fc.constantFrom(100, 7_001, HOUR_MS, 24 * HOUR_MS, 720 * HOUR_MS),
    anchorAtMs: instantArbitrary,
  }),
  fc.record({ kind: fc.constant('fixed-month' as const), anchorAtMs: instantArbitrary, timeZone }),
  fc.record({
    kind: fc.constant('calendar' as const),
    unit: fc.constantFrom('day', 'week', 'month'),
    timeZone,
  }),
);

/** A window and an instant to ask about. */
export const windowQuestionArbitrary = fc.record({
  window: alignedWindowArbitrary,
  atMs: instantArbitrary,
});
