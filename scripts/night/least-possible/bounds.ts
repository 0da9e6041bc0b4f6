/** Everything that bounds the calls of a night, as linear inequalities that hold for every way to make them. */
import type { SimulatedLimit, SimulatedMetric } from '../../../src/simulator/tier.ts';
import { amountOf } from '../../../src/simulator/windows/meter.ts';
import type { NightDocument } from '../night.ts';
import { type NightLane, shortestCallMs, sizeAtMost, sizeOf, type Span } from './night-lanes.ts';
import type { SizeClass } from './size-classes.ts';
import { type Stretch, timesFull } from './window-capacity.ts';

/** What a call takes of something that is bounded, in a unit of which the bound is not far from 1. */
export interface Demand {
  /** Equal for equal demands. */
  readonly key: string;
  of(document: NightDocument, lane: NightLane): number;
}

/** Calls that are made on these lanes within a span of the night take no more than its capacity, together. */
export interface Bound {
  readonly demand: Demand;
  readonly lanes: readonly NightLane[];
  /** In a night that has to be over by `endsAtMs`. */
  capacity(span: Span, endsAtMs: number): number;
}

/** All bounds of all lanes and tiers of a night that begins at `startsAtMs`. */
export const boundsOf = (classes: readonly SizeClass[], startsAtMs: number): readonly Bound[] => {
  const lanes = [...new Set(classes.flatMap((one) => one.lanes))];
  return [...Map.groupBy(lanes, ({ tier }) => tier)].flatMap(([tier, own]) => [
    ...scopeBounds(scopeOf(own, classes, startsAtMs), tier.limits, tier.concurrency),
    ...own.flatMap((lane) =>
      scopeBounds(scopeOf([lane], classes, startsAtMs), lane.model.limits, lane.model.concurrency),
    ),
  ]);
};

/** A lane, or the lanes of a tier, with the calls that may be made there. */
interface Scope {
  readonly lanes: readonly NightLane[];
  readonly startsAtMs: number;
  readonly calls: readonly Call[];
  readonly shortestCallMs: number;
  readonly longestCallMs: number;
}

interface Call {
  readonly document: NightDocument;
  readonly lane: NightLane;
}

const scopeOf = (lanes: readonly NightLane[], classes: readonly SizeClass[], startsAtMs: number): Scope => {
  const calls = classes.flatMap((one) =>
    one.lanes
      .filter((lane) => lanes.includes(lane))
      .flatMap((lane) => one.documents.map((document) => ({ document, lane }))),
  );
  const timesMs = calls.map(({ document, lane }) => shortestCallMs(lane, document));
  return {
    lanes,
    startsAtMs,
    calls,
    shortestCallMs: timesMs.reduce((least, ms) => Math.min(least, ms), Number.POSITIVE_INFINITY),
    longestCallMs: timesMs.reduce((most, ms) => Math.max(most, ms), 0),
  };
};

const scopeBounds = (
  scope: Scope,
  limits: readonly SimulatedLimit[],
  concurrency: number | undefined,
): readonly Bound[] => [
  ...limits.flatMap((limit) => [sumBound(scope, limit), ...packingBounds(scope, limit)]),
  ...(concurrency === undefined ? [] : [concurrencyBound(scope, concurrency)]),
];

/** A window admits so much of its metric, settled, as often as it is full. */
const sumBound = (scope: Scope, limit: SimulatedLimit): Bound => {
  const { metric, window } = limit;
  const usable = usableAmount(scope, limit);
  const unit = UNITS[metric];
  return {
    lanes: scope.lanes,
    demand: { key: metric, of: (document, lane) => amountOf(metric, sizeOf(document, lane)) / unit },
    capacity: (span, endsAtMs) => {
      const times = timesFull(window, startsWithin(scope, span, endsAtMs));
      // What flows into a bucket is used to the last drop; only what it holds is not.
      const used = window.kind === 'refill' ? usable + (times - 1) * limit.amount : usable * times;
      // Where no call can begin in time, a bucket would be emptier than empty.
      return Math.max(0, used / unit);
    },
  };
};

/** Of what a window allows, the part that calls can have used in the end: the last one to be let in was charged with its cap. */
const usableAmount = ({ calls }: Scope, { metric, amount }: SimulatedLimit): number =>
  calls.reduce((most, { document, lane }) => {
    const charged = amountOf(metric, sizeAtMost(document, lane));
    return Math.max(most, amount - (charged - amountOf(metric, sizeOf(document, lane))));
  }, 0);

/** Keeps the figures of the programme within few orders of magnitude. */
const UNITS: Readonly<Record<SimulatedMetric, number>> = {
  requests: 1,
  tokens: 1_000,
  inputTokens: 1_000,
  outputTokens: 1_000,
  units: 10,
};

/** Calls of more than a half, a third and a quarter of a window leave part of it empty. */
const PACKING_PARTS = [2, 3, 4];

/**
 * Documents fill a window like pieces a bin, which a sum does not know: of pieces above a half only one fits. A dual
 * feasible function (Fekete and Schepers, 2001) turns sizes into others whose sum in one bin is still at most 1. A
 * bucket has no such bins: what is left in it is not lost.
 */
const packingBounds = (scope: Scope, limit: SimulatedLimit): readonly Bound[] => {
  const { metric, window } = limit;
  if (window.kind === 'refill' || metric === 'requests') return [];
  const usable = usableAmount(scope, limit);
  const shareOf = (document: NightDocument, lane: NightLane): number =>
    amountOf(metric, sizeOf(document, lane)) / usable;
  const largest = scope.calls.reduce(
    (most, { document, lane }) => Math.max(most, shareOf(document, lane)),
    0,
  );
  return PACKING_PARTS.filter((parts) => largest > 1 / parts).map((parts) => ({
    lanes: scope.lanes,
    demand: {
      key: `${metric} of ${usable} in ${parts} parts`,
      of: (document, lane) => rounded(shareOf(document, lane), parts),
    },
    capacity: (span, endsAtMs) => timesFull(window, startsWithin(scope, span, endsAtMs)),
  }));
};

/** Shares of a bin rounded down to so many parts of it, unless they are exactly that; the rest of the bin is theirs, too. */
const rounded = (share: number, parts: number): number =>
  Number.isInteger(share * parts) ? share : Math.floor(share * parts) / (parts - 1);

/** Calls under way keep their places busy; those that begin in a span may last beyond it, but not beyond the night. */
const concurrencyBound = ({ lanes, longestCallMs }: Scope, concurrency: number): Bound => ({
  lanes,
  demand: { key: 'busy', of: (document, lane) => shortestCallMs(lane, document) / 1_000 },
  capacity: ({ fromMs, untilMs }, endsAtMs) =>
    (concurrency * (untilMs - fromMs + (untilMs === endsAtMs ? 0 : longestCallMs))) / 1_000,
});

/** The instants of a span at which a call may begin that is over in time. */
const startsWithin = (scope: Scope, { fromMs, untilMs }: Span, endsAtMs: number): Stretch => {
  const { startsAtMs, shortestCallMs: callMs } = scope;
  return untilMs === endsAtMs
    ? { fromMs, untilMs: untilMs - callMs, isClosed: true, startsAtMs }
    : { fromMs, untilMs, isClosed: false, startsAtMs };
};
