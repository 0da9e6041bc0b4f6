/**
 * The night as a linear programme: how many requests of each class run on each lane in each segment, so that all are
 * done as early as can be. The last segment of a programme is open: its length is what is minimised. A limit bounds
 * what is taken of it by the end of every segment; slots bound the time that calls take.
 */
import { expectedMs, expectedUse } from './demand.ts';
import type { LinearProgramme, Row } from './linear-programme.ts';
import { CLOSEST_MS, type Segment } from './segments.ts';
import type { PlanLane, PlanLimit, PlanProvider } from './situation.ts';
import { prioritiesIn, type SizeClass } from './size-classes.ts';
import { type Bound, boundsOf } from './supply.ts';

/** What a programme is about, all of it numbered by its place. */
export interface ProgrammeInput {
  readonly nowMs: number;
  readonly classes: readonly SizeClass[];
  readonly lanes: readonly PlanLane[];
  readonly providers: readonly PlanProvider[];
  readonly limits: readonly PlanLimit[];
  readonly segments: readonly Segment[];
  /** Whether a class may run on a lane. */
  readonly isEligible: (sizeClass: SizeClass, lane: PlanLane) => boolean;
  /** A class has no place in segments that begin then or later. */
  readonly expiryOf: (sizeClass: SizeClass) => number;
}

/** Requests of a class on a lane in a segment: one column. */
export interface Placement {
  readonly classIndex: number;
  readonly laneIndex: number;
  readonly segment: number;
  readonly sizeClass: SizeClass;
  readonly lane: PlanLane;
}

/** A programme, and what its columns and rows stand for. */
export interface NightProgramme {
  readonly programme: LinearProgramme;
  /** The first columns. Then comes the length of the last segment in seconds, then what of each class is left undone. */
  readonly placements: readonly Placement[];
  readonly lengthColumn: number;
  readonly segments: readonly Segment[];
  /** The row of a class's demand is its index; these are the rows of limits. */
  readonly limitRows: readonly { readonly limit: PlanLimit; readonly row: number }[];
  /** What one request left undone weighs, by class: 1 at the highest priority, and less below. */
  readonly weights: readonly number[];
  /** What a second of the last segment costs: 1, or less where there are priorities. Costs beyond a million are too much for the solver. */
  readonly secondCost: number;
}

const SECOND_MS = 1_000;
/** What a request that is left undone costs, in seconds: more than any night lasts. */
const UNDONE_S = 1e6;
/** Of the next higher priority so many times as much. */
const PRIORITY_WORTH = 30;

/** The programme whose last segment is `lastSegment`; what is left undone tells whether that is too early. */
export const nightProgramme = (input: ProgrammeInput, lastSegment: number): NightProgramme => {
  const { classes, lanes, providers, limits, segments } = input;
  const placements = placementsOf(input, lastSegment);
  const lengthColumn = placements.length;
  const columns = placements.map((placement, column) => ({ ...placement, column }));
  const byScope = (scope: string): readonly Column[] =>
    columns.filter(({ lane }) => lane.id === scope || lane.providerId === scope);

  const demand = classes.map(({ count }, index): Row => {
    const own = columns.filter(({ classIndex }) => classIndex === index).map(({ column }) => column);
    const all = [...own, lengthColumn + 1 + index];
    return { lower: count, upper: count, columns: all, values: all.map(() => 1) };
  });
  const ofLimits = limits.flatMap((limit) => {
    const own = byScope(limit.scope);
    if (own.length === 0) return [];
    const use = (column: Column): number => expectedUse(limit, column.lane, column.sizeClass);
    const callMs = Math.min(...own.map(({ lane }) => lane.callMs));
    return boundsOf(limit, segments, input.nowMs, callMs)
      .flatMap((bound) => endingBy(bound, lastSegment))
      .map((bound) => ({
        limit,
        row: rowOf({ bound, own, use, lengthColumn, lastSegment, scale: limit.amount }),
      }));
  });
  const slotRows = (scope: string, slots: number): readonly Row[] =>
    segments.slice(0, lastSegment + 1).map(({ startMs, endMs }, segment) =>
      rowOf({
        bound: {
          kind: 'flow',
          firstSegment: segment,
          lastSegment: segment,
          amount: slots * (endMs - startMs),
          atLastStart: 0,
          perMs: slots,
        },
        own: byScope(scope),
        use: ({ lane }) => expectedMs(lane),
        lengthColumn,
        lastSegment,
        scale: slots * SECOND_MS,
      }),
    );
  const ofSlots = [
    ...lanes.flatMap(({ id, slots }) => (slots < 1 ? [] : slotRows(id, slots))),
    ...providers.flatMap(({ id, concurrency }) => (concurrency === null ? [] : slotRows(id, concurrency))),
  ];
  const last = segments[lastSegment] ?? { startMs: input.nowMs, endMs: Infinity };
  const weights = weightsOf(classes);
  const secondCost = Math.min(1, ...weights);
  return {
    placements,
    lengthColumn,
    segments,
    limitRows: ofLimits.map(({ limit }, index) => ({ limit, row: demand.length + index })),
    weights,
    secondCost,
    programme: {
      costs: [...placements.map(() => 0), secondCost, ...weights.map((weight) => weight * UNDONE_S)],
      lower: [...placements, null, ...classes].map(() => 0),
      upper: [
        ...placements.map(() => Infinity),
        (last.endMs - last.startMs) / SECOND_MS,
        ...classes.map(({ count }) => count),
      ],
      rows: [...demand, ...ofLimits.map(({ row }) => row), ...ofSlots],
    },
  };
};

const weightsOf = (classes: readonly SizeClass[]): readonly number[] => {
  const priorities = prioritiesIn(classes);
  return classes.map(({ priority }) => PRIORITY_WORTH ** -priorities.indexOf(priority));
};

interface Column extends Placement {
  readonly column: number;
}

const placementsOf = (
  { classes, lanes, segments, isEligible, expiryOf }: ProgrammeInput,
  lastSegment: number,
): readonly Placement[] =>
  classes.flatMap((sizeClass, classIndex) =>
    lanes.flatMap((lane, laneIndex) =>
      isEligible(sizeClass, lane)
        ? segments
            .slice(0, lastSegment + 1)
            .flatMap(({ startMs }, segment) =>
              lane.opensAtMs <= startMs + CLOSEST_MS && startMs < expiryOf(sizeClass)
                ? [{ classIndex, laneIndex, segment, sizeClass, lane }]
                : [],
            )
        : [],
    ),
  );

/** The bound as far as it concerns a night that ends in `lastSegment`. */
const endingBy = (bound: Bound, lastSegment: number): readonly Bound[] => {
  if (bound.lastSegment <= lastSegment) return [bound];
  if (bound.kind === 'flow' || bound.firstSegment > lastSegment) return [];
  return [{ ...bound, lastSegment, perMs: 0 }];
};

interface RowSpec {
  readonly bound: Bound;
  readonly own: readonly Column[];
  readonly use: (column: Column) => number;
  readonly lengthColumn: number;
  readonly lastSegment: number;
  /** Amounts are given in this much, so that requests and tokens have figures of about the same size. */
  readonly scale: number;
}

/** What is taken in these segments stays within the bound; in the last one it grows with the length that is looked for. */
const rowOf = ({ bound, own, use, lengthColumn, lastSegment, scale }: RowSpec): Row => {
  const inside = own.filter(({ segment }) => segment >= bound.firstSegment && segment <= bound.lastSegment);
  const isOpen = bound.lastSegment === lastSegment;
  const flow = isOpen && bound.perMs > 0 ? [(-bound.perMs * SECOND_MS) / scale] : [];
  return {
    lower: -Infinity,
    upper: (isOpen ? bound.atLastStart : bound.amount) / scale,
    columns: [...inside.map(({ column }) => column), ...flow.map(() => lengthColumn)],
    values: [...inside.map((column) => use(column) / scale), ...flow],
  };
};
