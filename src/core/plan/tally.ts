/** Counts requests by what a plan tells them apart by, as they come: so small for a million as for a thousand. */
import { bandOf, bandRange } from './bands.ts';
import type { BacklogCell } from './situation.ts';

/** One request before it has a place in the record; tokens as counted at ingest. */
export interface TalliedRequest {
  readonly promptTokens: number;
  /** The bound of its answer. */
  readonly outputTokens: number;
  readonly outputIsAsked: boolean;
}

/** Cells of a backlog that belong to no route yet. */
export type TalliedCell = Omit<BacklogCell, 'routeId'>;

/** Counts requests under names. */
export interface Tally {
  add(name: string, request: TalliedRequest): void;
  /** By name, in the order in which the names came. */
  cells(): ReadonlyMap<string, readonly TalliedCell[]>;
}

/** A tally of nothing yet. */
export const startTally = (): Tally => {
  const byName = new Map<string, Map<string, TalliedCell>>();
  return {
    add(name, request) {
      const cells = byName.get(name) ?? new Map<string, TalliedCell>();
      byName.set(name, cells);
      const key = keyOf(request);
      cells.set(key, withOneMore(cells.get(key), request));
    },
    cells: () => new Map([...byName].map(([name, cells]) => [name, [...cells.values()]])),
  };
};

/** Bounds that lines ask for may all differ; like prompts they go by bands. Ours is one. */
const keyOf = ({ promptTokens, outputTokens, outputIsAsked }: TalliedRequest): string =>
  `${bandOf(promptTokens)} ${outputIsAsked ? `asked ${bandOf(outputTokens)}` : outputTokens}`;

/** Of the bounds of a band the largest counts, so that no lane seems to take what it may not. */
const withOneMore = (
  cell: TalliedCell | undefined,
  { promptTokens, outputTokens, outputIsAsked }: TalliedRequest,
): TalliedCell => ({
  outputIsAsked,
  capTokens: Math.max(cell?.capTokens ?? 0, outputTokens),
  fromTokens: Math.min(cell?.fromTokens ?? Infinity, promptTokens),
  toTokens: Math.max(cell?.toTokens ?? 0, promptTokens),
  largestTokens: Math.max(cell?.toTokens ?? 0, promptTokens),
  count: (cell?.count ?? 0) + 1,
  promptTokens: (cell?.promptTokens ?? 0) + promptTokens,
});

/** How many prompts there are of a size. */
export interface SizeBar {
  /** Sizes of the bar are in [fromTokens, toTokens]. */
  readonly fromTokens: number;
  readonly toTokens: number;
  readonly count: number;
}

/** Three bands of size classes are an octave; see `bandOf`. */
const BANDS_PER_BAR = 3;

/** The sizes of prompts on a logarithmic scale: a bar an octave, from the smallest size to the largest, none left out. */
export const sizeBars = (cells: readonly TalliedCell[]): readonly SizeBar[] => {
  if (cells.length === 0) return [];
  const barOf = (cell: TalliedCell): number => Math.floor(bandOf(cell.toTokens) / BANDS_PER_BAR);
  const places = cells.map(barOf);
  const [first, last] = [Math.min(...places), Math.max(...places)];
  return Array.from({ length: last - first + 1 }, (_, index) => {
    const place = first + index;
    return {
      fromTokens: bandRange(place * BANDS_PER_BAR).fromTokens,
      toTokens: bandRange((place + 1) * BANDS_PER_BAR - 1).toTokens,
      count: cells.reduce((sum, cell) => sum + (barOf(cell) === place ? cell.count : 0), 0),
    };
  });
};
