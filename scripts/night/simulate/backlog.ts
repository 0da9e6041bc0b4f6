/** The backlog of a simulated night: what waits, by route, cap and size, as the record's index has it. */
import type { BacklogCell } from '../../../src/core/plan/situation.ts';
import { bandOf, bandRange } from '../../../src/core/plan/bands.ts';
import type { NightDocument } from '../night.ts';

/** A document that waits. */
export interface Waiting {
  readonly document: NightDocument;
  readonly routeId: number;
  /** When it may go to every lane again; `null`: it may already. */
  readonly freeAtMs: number | null;
}

/** What a lane looks for: documents of one range. */
export type Range = Pick<BacklogCell, 'routeId' | 'capTokens' | 'fromTokens' | 'toTokens'>;

/** Everything that waits. */
export interface Backlog {
  readonly size: () => number;
  add(waiting: Waiting): void;
  /** Whether it was there. */
  remove(waiting: Waiting): boolean;
  /** The largest of the range whose prompt is at most so long. */
  largest(range: Range, mostPromptTokens: number): Waiting | null;
  /** The smallest of the cell. */
  smallest(cell: Range): Waiting | null;
  cells(): readonly BacklogCell[];
}

/** An empty backlog. */
export const openBacklog = (): Backlog => {
  /** By route, cap and band: prompts ascending. */
  const shelves = new Map<string, Waiting[]>();
  let size = 0;
  return {
    size: () => size,
    add(waiting) {
      const key = shelfOf(waiting);
      const shelf = shelves.get(key) ?? [];
      shelf.splice(placeOf(shelf, waiting.document.promptTokens), 0, waiting);
      shelves.set(key, shelf);
      size += 1;
    },
    remove(waiting) {
      const shelf = shelves.get(shelfOf(waiting)) ?? [];
      const place = shelf.indexOf(waiting);
      if (place < 0) return false;
      shelf.splice(place, 1);
      size -= 1;
      return true;
    },
    largest({ routeId, capTokens, fromTokens, toTokens }, mostPromptTokens) {
      const most = Math.min(toTokens, mostPromptTokens);
      for (let band = bandOf(Math.max(0, most)); band >= bandOf(fromTokens); band -= 1) {
        const shelf = shelves.get(keyOf(routeId, capTokens, band)) ?? [];
        const found = shelf[placeOf(shelf, most) - 1];
        if (found !== undefined && found.document.promptTokens >= fromTokens) return found;
      }
      return null;
    },
    smallest: ({ routeId, capTokens, toTokens }) =>
      shelves.get(keyOf(routeId, capTokens, bandOf(toTokens)))?.[0] ?? null,
    cells: () =>
      [...shelves.values()].flatMap((shelf) => {
        const first = shelf[0];
        if (first === undefined) return [];
        const band = bandOf(first.document.promptTokens);
        return [
          {
            routeId: first.routeId,
            outputIsAsked: true,
            capTokens: first.document.capTokens,
            ...bandRange(band),
            count: shelf.length,
            largestTokens: shelf.at(-1)?.document.promptTokens ?? 0,
            promptTokens: shelf.reduce((sum, { document }) => sum + document.promptTokens, 0),
          },
        ];
      }),
  };
};

const keyOf = (routeId: number, capTokens: number, band: number): string => `${routeId} ${capTokens} ${band}`;

/** Where a prompt of this size would go: after all that are no longer. */
const placeOf = (shelf: readonly Waiting[], promptTokens: number): number => {
  let [low, high] = [0, shelf.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((shelf[middle]?.document.promptTokens ?? 0) <= promptTokens) low = middle + 1;
    else high = middle;
  }
  return low;
};

const shelfOf = ({ document, routeId }: Waiting): string =>
  keyOf(routeId, document.capTokens, bandOf(document.promptTokens));
