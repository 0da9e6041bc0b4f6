/** The shared list that the lanes pull from, in the order of the file. */
import type { NightDocument } from '../night.ts';

/** A document that waits, and where it failed last. */
interface Waiting {
  readonly document: NightDocument;
  /** Lanes that others go before, until some instant. */
  readonly avoided: Map<string, number>;
}

/** A document in the hands of a lane. */
export interface Pulled {
  readonly document: NightDocument;
  /** It is answered. */
  done(): void;
  /** Back to where it was: nothing happened. */
  putBack(): void;
  /** It failed on this lane, which leaves it to others until then. */
  failed(avoidUntilMs: number): void;
}

/** What is left to do. */
export interface Backlog {
  /** The next document that the lane may take, or null. */
  pull(laneId: string, fits: (document: NightDocument) => boolean, nowMs: number): Pulled | null;
  /** Whether everything has been answered. */
  isDone(): boolean;
  /** Whether a document of this kind is left or under way. */
  hasWorkFor(fits: (document: NightDocument) => boolean): boolean;
}

/** A list of these documents. */
export const backlogOf = (documents: readonly NightDocument[]): Backlog => {
  const waiting: Waiting[] = documents.map((document) => ({ document, avoided: new Map() }));
  const underWay = new Set<Waiting>();
  const mayTake = ({ avoided }: Waiting, laneId: string, nowMs: number): boolean =>
    (avoided.get(laneId) ?? Number.NEGATIVE_INFINITY) <= nowMs;
  return {
    pull(laneId, fits, nowMs) {
      const index = waiting.findIndex((each) => fits(each.document) && mayTake(each, laneId, nowMs));
      const [taken] = index === -1 ? [] : waiting.splice(index, 1);
      if (taken === undefined) return null;
      underWay.add(taken);
      const giveBack = (): void => {
        underWay.delete(taken);
        waiting.unshift(taken);
      };
      return {
        document: taken.document,
        done: () => void underWay.delete(taken),
        putBack: giveBack,
        failed(avoidUntilMs) {
          taken.avoided.set(laneId, avoidUntilMs);
          giveBack();
        },
      };
    },
    isDone: () => waiting.length === 0 && underWay.size === 0,
    hasWorkFor: (fits) =>
      waiting.some(({ document }) => fits(document)) || [...underWay].some(({ document }) => fits(document)),
  };
};
