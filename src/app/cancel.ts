/** Ends the lines of a batch that was cancelled: each gets its final line. */
import { cancelledLine } from '../core/lines/output-line.ts';
import type { BatchStore, OpenRequest } from './batch-store.ts';
import { attemptNotes } from './settle-call.ts';

/** Lines ended in one transaction. */
const LINES_AT_ONCE = 500;

/** Ends the open lines of a batch that is being cancelled; those with a call under way are left for later. */
export const endOpenLines = async (
  store: Pick<BatchStore, 'cancelOpen'>,
  batchId: number,
  signal: AbortSignal,
): Promise<void> => {
  let ended = LINES_AT_ONCE;
  while (ended === LINES_AT_ONCE && !signal.aborted) {
    ended = await store.cancelOpen(batchId, lineOf, LINES_AT_ONCE);
  }
};

const lineOf = ({ requestId, customId, trail }: OpenRequest): string =>
  cancelledLine({
    id: `batch_req_${requestId}`,
    customId,
    provenance: { lane: trail.at(-1)?.lane ?? null, attempts: attemptNotes(trail) },
  });
