/**
 * The night as a linear programme: how many documents of each class each lane takes in each of its segments, so that as
 * many as possible are done. Its text is in the LP format of CPLEX.
 */
import type { Bound } from './bounds.ts';
import { type NightLane, shortestCallMs, type Span } from './night-lanes.ts';
import type { SizeClass } from './size-classes.ts';

/** A lane in one of its segments. */
export interface Place {
  readonly lane: NightLane;
  /** Place among the segments of its tier. */
  readonly segment: number;
  readonly span: Span;
}

/** So many documents of a class at a place. */
export interface Column {
  readonly sizeClass: SizeClass;
  readonly place: Place;
}

/** What lanes take together from one segment to another, both included, is at most the capacity. */
export interface RangeRow {
  readonly bound: Bound;
  readonly from: number;
  readonly until: number;
  readonly capacity: number;
}

/** The programme, its columns `x0`, `x1`, … and its rows `r0`, `r1`, … in these orders. */
export interface Programme {
  readonly columns: readonly Column[];
  readonly rows: readonly RangeRow[];
  readonly text: string;
}

/** What a programme is made of. */
export interface ProgrammeParts {
  readonly classes: readonly SizeClass[];
  readonly bounds: readonly Bound[];
  /** Of a lane's tier. */
  readonly segmentsOf: (lane: NightLane) => readonly Span[];
  readonly endsAtMs: number;
}

/** Builds it. */
export const programmeOf = (parts: ProgrammeParts): Programme => {
  const columns = columnsOf(parts);
  const rows = parts.bounds.flatMap((bound) => rangeRows(bound, parts));
  return { columns, rows, text: textOf(columns, rows, parts) };
};

/** Whether a document may be begun at a place and be done in time. */
export const isInTime = ({ lane, span }: Place, callMs: number, endsAtMs: number): boolean =>
  !lane.outages.some(({ fromMs, untilMs: backMs }) => fromMs <= span.fromMs && span.untilMs <= backMs) &&
  (span.untilMs < endsAtMs || span.fromMs + callMs <= endsAtMs);

/** Every segment of a lane. */
export const placesOf = (lane: NightLane, segments: readonly Span[]): readonly Place[] =>
  segments.map((span, segment) => ({ lane, segment, span }));

const columnsOf = ({ classes, segmentsOf, endsAtMs }: ProgrammeParts): readonly Column[] =>
  classes.flatMap((sizeClass) =>
    sizeClass.lanes.flatMap((lane) => {
      const callMs = Math.min(...sizeClass.documents.map((document) => shortestCallMs(lane, document)));
      return placesOf(lane, segmentsOf(lane))
        .filter((place) => isInTime(place, callMs, endsAtMs))
        .map((place) => ({ sizeClass, place }));
    }),
  );

/** A range within another one of no larger capacity says nothing that the other does not. */
const rangeRows = (bound: Bound, { segmentsOf, endsAtMs }: ProgrammeParts): readonly RangeRow[] => {
  const [lane] = bound.lanes;
  if (lane === undefined) return [];
  const segments = segmentsOf(lane);
  const all = segments.flatMap(({ fromMs }, from) =>
    segments.slice(from).map(({ untilMs }, length) => ({
      bound,
      from,
      until: from + length,
      capacity: bound.capacity({ fromMs, untilMs }, endsAtMs),
    })),
  );
  return all.filter(
    (row) =>
      !all.some(
        (other) =>
          other !== row &&
          other.from <= row.from &&
          other.until >= row.until &&
          other.capacity <= row.capacity,
      ),
  );
};

const textOf = (
  columns: readonly Column[],
  rows: readonly RangeRow[],
  { classes, bounds }: ProgrammeParts,
): string => {
  const uses = useRows(columns, bounds);
  const useNames = new Map([...uses.keys()].map((key, index) => [key, `u${index}`]));
  const classTerms = Map.groupBy(
    columns.map(({ sizeClass }, index) => ({ sizeClass, term: `+ x${index}` })),
    ({ sizeClass }) => sizeClass,
  );
  return [
    'Maximize',
    ` obj: ${wrapped(columns.map((_, index) => `+ x${index}`))}`,
    'Subject To',
    ...classes.flatMap((sizeClass, index) => {
      const terms = classTerms.get(sizeClass);
      return terms === undefined
        ? []
        : [` c${index}: ${wrapped(terms.map(({ term }) => term))} <= ${sizeClass.documents.length}`];
    }),
    ...[...uses].map(([key, terms], index) => ` e${index}: ${wrapped(terms)} - ${useNames.get(key)} = 0`),
    ...rows.flatMap((row, index) => {
      const terms = placesWithin(row).flatMap((place) => useNames.get(useKey(row.bound, ...place)) ?? []);
      return terms.length === 0
        ? []
        : [` r${index}: ${wrapped(terms.map((name) => `+ ${name}`))} <= ${row.capacity}`];
    }),
    'End',
  ].join('\n');
};

/** The terms of what is used of each demand at each place. */
const useRows = (columns: readonly Column[], bounds: readonly Bound[]): Map<string, string[]> => {
  const byLane = new Map<NightLane, Map<string, Bound>>();
  for (const bound of bounds)
    for (const lane of bound.lanes)
      byLane.set(lane, (byLane.get(lane) ?? new Map<string, Bound>()).set(bound.demand.key, bound));
  const rows = new Map<string, string[]>();
  for (const [index, { sizeClass, place }] of columns.entries()) {
    for (const bound of byLane.get(place.lane)?.values() ?? []) {
      const taken = meanOf(sizeClass, bound, place.lane);
      if (taken === 0) continue;
      const key = useKey(bound, place.lane.index, place.segment);
      const row = rows.get(key) ?? [];
      row.push(`+ ${taken} x${index}`);
      rows.set(key, row);
    }
  }
  return rows;
};

const meanOf = ({ documents }: SizeClass, { demand }: Bound, lane: NightLane): number =>
  documents.reduce((sum, document) => sum + demand.of(document, lane), 0) / documents.length;

const useKey = (bound: Bound, laneIndex: number, segment: number): string =>
  `${laneIndex} ${segment} ${bound.demand.key}`;

const placesWithin = ({ bound, from, until }: RangeRow): readonly (readonly [number, number])[] =>
  bound.lanes.flatMap(({ index }) =>
    Array.from({ length: until - from + 1 }, (_, offset) => [index, from + offset] as const),
  );

const TERMS_PER_LINE = 12;

/** Readers of the format have a longest line. */
const wrapped = (terms: readonly string[]): string =>
  Array.from({ length: Math.ceil(terms.length / TERMS_PER_LINE) }, (_, line) =>
    terms.slice(line * TERMS_PER_LINE, (line + 1) * TERMS_PER_LINE).join(' '),
  ).join('\n  ');
