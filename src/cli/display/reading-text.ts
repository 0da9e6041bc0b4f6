/** What is said while an input is read, and once it is. */
import type { Batch } from '../../app/batch-store.ts';
import { isFinal, linesDone } from '../../app/progress.ts';
import type { Reasons } from '../../app/read-requests.ts';
import { counted, fullCount } from '../text/quantity.ts';

/** `reading: 120,000 lines, 45 %`. */
export function readingText(status: {
  readonly lines: number;
  readonly bytesRead: number;
  readonly bytes: number;
}): string {
  const share = status.bytes === 0 ? 1 : status.bytesRead / status.bytes;
  return `reading: ${counted(status.lines, 'line')}, ${Math.floor(Math.min(1, share) * 100)} %`;
}

/** One sentence or two on what there is to do, and the first reasons why lines were refused. */
export function ingestedLines(batch: Batch, reasons: Reasons, resumed: boolean): readonly string[] {
  const left = batch.total - linesDone(batch);
  const lines = counted(batch.total, 'line');
  if (resumed && isFinal(batch))
    return [`batch "${batch.name}": all ${lines} are done; writing the output again`];
  if (resumed) {
    return [`batch "${batch.name}": resuming with ${fullCount(left)} of ${lines} to do`];
  }
  const more = batch.bad - reasons.first.length;
  return [
    `batch "${batch.name}": ${lines}${batch.bad > 0 ? `, ${fullCount(batch.bad)} of them bad:` : ''}`,
    ...reasons.first.map((reason) => `  ${reason}`),
    ...(more > 0 ? [`  … and ${fullCount(more)} more; each has a line in the errors file`] : []),
  ];
}
