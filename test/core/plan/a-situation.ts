/** Situations to be planned. */
import type { BacklogCell, PlanLane, PlanLimit, Situation } from '../../../src/core/plan/situation.ts';
import { bandRange } from '../../../src/core/plan/bands.ts';

/** 20 November 2026, 22:00 UTC: two hours before days end. */
export const NOW_MS = 1_795_212_000_000;

/** A lane that is open, with four calls of a second at once. */
export const aPlanLane = (id: string, differences: Partial<PlanLane> = {}): PlanLane => ({
  id,
  providerId: id.split('/')[0] ?? '',
  slots: 4,
  callMs: 1_000,
  failureShare: 0,
  tokenRatio: 1,
  tokenRatioAtMost: 1.25,
  contextTokens: 131_072,
  maxOutputTokens: 8_192,
  opensAtMs: 0,
  ...differences,
});

/** Requests of route 1 in one band, with 300 tokens of answer at most. */
export const aCell = (band: number, count: number, differences: Partial<BacklogCell> = {}): BacklogCell => {
  const range = bandRange(band);
  return {
    routeId: 1,
    outputIsAsked: false,
    capTokens: 300,
    ...range,
    largestTokens: range.toTokens,
    count,
    promptTokens: (count * (range.fromTokens + range.toTokens)) / 2,
    ...differences,
  };
};

/** Thirty requests a minute. */
export const aPlanLimit = (scope: string, differences: Partial<PlanLimit> = {}): PlanLimit => ({
  scope,
  metric: 'requests',
  window: { kind: 'rolling', perMs: 60_000 },
  amount: 30,
  used: 0,
  freeings: [],
  marginMs: 1_200,
  ...differences,
});

/** A thousand requests for one lane, which takes half an hour, unless said. */
export const aSituation = (differences: Partial<Situation> = {}): Situation => ({
  nowMs: NOW_MS,
  cells: [aCell(28, 1_000)],
  routes: [{ id: 1, batchId: 1, priority: 0, laneIds: ['alpha/small'] }],
  answers: [],
  lanes: [aPlanLane('alpha/small')],
  providers: [{ id: 'alpha', concurrency: null }],
  limits: [aPlanLimit('alpha/small')],
  ...differences,
});

/** Of each kind some. */
const longWindow = (index: number): PlanLimit['window'] => {
  if (index % 3 === 1) return { kind: 'refill', perMs: 86_400_000 };
  if (index % 3 === 2)
    return { kind: 'fixed', perMs: 10_800_000 + 600_000 * (index % 7), anchorAtMs: NOW_MS - 3_600_000 };
  return { kind: 'calendar', unit: 'day', timeZone: index % 2 === 0 ? 'UTC' : 'America/Los_Angeles' };
};

/** So many lanes of as many providers, all with the limits of a free tier, and so many classes that any may take. */
export const aLargeSituation = (laneCount: number, classCount: number): Situation => {
  const lanes = Array.from({ length: laneCount }, (_, index) =>
    aPlanLane(`provider-${index}/small`, {
      callMs: 500 + 100 * (index % 9),
      failureShare: (index % 5) / 50,
      contextTokens: [8_192, 32_768, 131_072, 1_000_000][index % 4] ?? 8_192,
    }),
  );
  return aSituation({
    cells: Array.from({ length: classCount }, (_, index) => aCell(16 + index, 40 + 25 * (index % 11))),
    routes: [{ id: 1, batchId: 1, priority: 0, laneIds: lanes.map(({ id }) => id) }],
    answers: [],
    lanes,
    providers: lanes.map(({ providerId }) => ({ id: providerId, concurrency: null })),
    limits: lanes.flatMap(({ id }, index) => [
      aPlanLimit(id, { amount: 10 + (index % 4) * 5 }),
      aPlanLimit(id, { metric: 'tokens', amount: 6_000 + 1_000 * (index % 10) }),
      aPlanLimit(id, {
        window: longWindow(index),
        amount: 50 + 20 * (index % 12),
        used: index % 50,
        marginMs: 2_000,
      }),
      aPlanLimit(id, {
        metric: 'tokens',
        window: longWindow(index),
        amount: 200_000 + 10_000 * index,
        marginMs: 2_000,
      }),
    ]),
  });
};
