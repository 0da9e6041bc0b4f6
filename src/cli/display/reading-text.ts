/** What is said while an input is read, and once it is. */
import type { Submitted } from '../../app/batches.ts';
import { isFinal, linesDone } from '../../app/progress.ts';
import { counted, fullCount } from '../text/quantity.ts';
import { changedTermsLines, termsLines } from './terms-text.ts';

/** `reading: 120,000 lines, 45 %`. */
export function readingText(status: {
  readonly lines: number;
  readonly bytesRead: number;
  readonly bytes: number;
}): string {
  const share = status.bytes === 0 ? 1 : status.bytesRead / status.bytes;
  return `reading: ${counted(status.lines, 'line')}, ${Math.floor(Math.min(1, share) * 100)} %`;
}

/** What there is to do, the first reasons why lines were refused, and on which terms it is done. */
export function ingestedLines(submitted: Submitted, nowMs: number): readonly string[] {
  const { batch, formerTerms, isKnown } = submitted;
  if (!isKnown) return [...newLines(submitted), ...termsLines(batch.terms, nowMs).map(indented)];
  const changes = formerTerms === null ? [] : changedTermsLines(formerTerms, batch.terms, nowMs);
  const terms = formerTerms === null && !isFinal(batch) ? termsLines(batch.terms, nowMs) : changes;
  return [knownLine(submitted), ...terms.map(indented)];
}

const indented = (line: string): string => `  ${line}`;

function knownLine({ batch }: Submitted): string {
  const lines = counted(batch.total, 'line');
  const left = batch.total - linesDone(batch);
  if (!isFinal(batch)) return `batch "${batch.name}": resuming with ${fullCount(left)} of ${lines} to do`;
  return batch.state === 'expired'
    ? `batch "${batch.name}": ${fullCount(batch.expired)} of ${lines} expired at its deadline; writing the output again`
    : `batch "${batch.name}": all ${lines} are done; writing the output again`;
}

function newLines({ batch, reasons }: Submitted): readonly string[] {
  const lines = counted(batch.total, 'line');
  const more = batch.bad - reasons.first.length;
  return [
    `batch "${batch.name}": ${lines}${batch.bad > 0 ? `, ${fullCount(batch.bad)} of them bad:` : ''}`,
    ...reasons.first.map(indented),
    ...(more > 0 ? [`  … and ${fullCount(more)} more; each has a line in the errors file`] : []),
  ];
}
