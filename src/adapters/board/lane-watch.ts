/** The lanes as the record has them, read when somebody looks and no more often than needed. */
import type { Batches } from '../../app/batches.ts';
import type { LaneProgress } from '../../app/progress.ts';

/** However many people look, the record is asked once in so long. */
const FRESH_MS = 2_000;

/** A view of all lanes that is at most 2 s old. */
export interface LaneWatch {
  /** Equal by identity until it was read anew. Rejects as `Batches.lanes` does, and asks again the next time. */
  current(): Promise<readonly LaneProgress[]>;
  /** What was read so far is out of date. */
  expire(): void;
}

/** Watches the lanes; `nowMs` is any clock that only goes forward. */
export const watchLanes = (batches: Pick<Batches, 'lanes'>, nowMs: () => number): LaneWatch => {
  let reading: Promise<readonly LaneProgress[]> | null = null;
  let freshUntilMs = 0;

  const read = (): Promise<readonly LaneProgress[]> => {
    const mine = batches.lanes();
    reading = mine;
    freshUntilMs = nowMs() + FRESH_MS;
    mine.catch(() => {
      if (reading === mine) reading = null;
    });
    return mine;
  };

  return {
    current: () => (reading !== null && nowMs() < freshUntilMs ? reading : read()),
    expire() {
      reading = null;
    },
  };
};
