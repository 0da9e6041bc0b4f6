/** Ends the lines of a batch that was cancelled, or whose deadline came: each gets its final line. */
import { cancelledLine, expiredLine } from '../core/lines/output-line.ts';
import type { BatchStore, OpenRequest } from './batch-store.ts';
import { attemptNotes } from './settle-call.ts';

/** Lines ended in one transaction. */
const LINES_AT_ONCE = 500;

/** Ends the open lines of a batch that is being cancelled, or expiring; those with a call under way are left for later. */
export const endOpenLines = async (
  store: Pick<BatchStore, 'endOpen'>,
  batchId: number,
  signal: AbortSignal,
): Promise<void> => {
  let ended = LINES_AT_ONCE;
  while (ended === LINES_AT_ONCE && !signal.aborted) {
    ended = await store.endOpen(batchId, lineOf, LINES_AT_ONCE);
  }
};

const lineOf = ({ kind, requestId, customId, trail }: OpenRequest): string => {
  const head = {
    id: `batch_req_${requestId}`,
    customId,
    provenance: { lane: trail.at(-1)?.lane ?? null, attempts: attemptNotes(trail) },
  };
  return kind === 'expired' ? expiredLine(head) : cancelledLine(head);
};
