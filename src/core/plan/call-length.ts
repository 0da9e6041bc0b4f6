/** How long the calls of lanes take: as long as they did lately, and where none has been answered yet, a guess. */

/** What calls on a lane have shown. */
export interface CallTiming {
  /** How long they take; `null` until the first answer. */
  readonly callMs: number | null;
  /** For how long the oldest call under way has been; `null` where there is none. */
  readonly waitingMs: number | null;
  /** Some call has come back, with whatever. */
  readonly hasEnded: boolean;
}

/** What a plan reckons with; see `PlanLane`. */
export interface CallLength {
  readonly callMs: number;
  readonly guess?: 'awaited' | 'untold';
}

/** Where no lane has shown anything. */
export const UNKNOWN_CALL_MS = 5_000;
/** What has lasted so long will take as long again (Lindy's law). */
const LASTS_AS_LONG_AGAIN = 2;
/** A first answer that takes longer has told that its lane is slow. */
const LONGEST_AWAITED_MS = 45_000;

/** The lengths on lanes, in their order. One that has shown nothing is taken for as quick as the others, by their median. */
export const callLengths = (timings: readonly CallTiming[]): readonly CallLength[] => {
  const usualMs = median(timings.flatMap(({ callMs }) => (callMs === null ? [] : [callMs])));
  return timings.map(({ callMs, ...timing }) =>
    callMs === null
      ? {
          callMs: Math.max(usualMs, (timing.waitingMs ?? 0) * LASTS_AS_LONG_AGAIN),
          guess: isAwaited(timing) ? 'awaited' : 'untold',
        }
      : { callMs },
  );
};

/** A lane that only fails is not worth waiting for: its next call most likely tells as little. */
const isAwaited = ({ waitingMs, hasEnded }: Pick<CallTiming, 'waitingMs' | 'hasEnded'>): boolean =>
  !hasEnded && waitingMs !== null && waitingMs < LONGEST_AWAITED_MS;

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? UNKNOWN_CALL_MS;
