/** Cuts a stream of bytes into lines, in flat memory, whatever the lines hold. */
import { isUtf8 } from 'node:buffer';
import type { RawLine } from '../../app/read-requests.ts';

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/**
 * Yields the lines of `chunks`, several at a time: those that one chunk completed. Of a line over `mostBytes` only
 * its length is kept. The last line needs no line break. `\r\n` counts as one line break.
 */
export async function* readLines(
  chunks: AsyncIterable<Buffer>,
  mostBytes: number,
): AsyncGenerator<readonly RawLine[]> {
  let lineNumber = 0;
  let begun: Buffer[] = [];
  let begunBytes = 0;

  const keep = (part: Buffer): void => {
    if (begunBytes <= mostBytes + 1) begun.push(part);
    begunBytes += part.length;
  };
  const complete = (): RawLine => {
    lineNumber += 1;
    const line = rawLine(begun, begunBytes, lineNumber, mostBytes);
    begun = [];
    begunBytes = 0;
    return line;
  };

  for await (const chunk of chunks) {
    const lines: RawLine[] = [];
    let from = 0;
    for (let to = chunk.indexOf(LINE_FEED); to !== -1; to = chunk.indexOf(LINE_FEED, from)) {
      keep(chunk.subarray(from, to));
      lines.push(complete());
      from = to + 1;
    }
    // A copy: the rest of a chunk must not keep the whole chunk alive.
    if (from < chunk.length) keep(Buffer.from(chunk.subarray(from)));
    if (lines.length > 0) yield lines;
  }
  if (begunBytes > 0) yield [complete()];
}

const rawLine = (
  parts: readonly Buffer[],
  byteLength: number,
  lineNumber: number,
  mostBytes: number,
): RawLine => {
  const whole = parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
  const bytes = whole.at(-1) === CARRIAGE_RETURN ? whole.subarray(0, -1) : whole;
  if (byteLength - (whole.length - bytes.length) > mostBytes)
    return { kind: 'too-long', lineNumber, byteLength };
  if (!isUtf8(bytes)) return { kind: 'not-utf8', lineNumber };
  return { kind: 'text', lineNumber, text: bytes.toString('utf8') };
};
