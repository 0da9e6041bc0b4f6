import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readLines } from '../../../src/adapters/files/read-lines.ts';
import type { RawLine } from '../../../src/app/read-requests.ts';

async function* chunksOf(bytes: Buffer, cuts: readonly number[]): AsyncGenerator<Buffer> {
  let from = 0;
  for (const to of [...cuts.toSorted((a, b) => a - b), bytes.length]) {
    yield bytes.subarray(from, to);
    from = to;
  }
}

const linesOf = async (
  bytes: Buffer | string,
  { mostBytes = 1_000, cuts = [] }: { readonly mostBytes?: number; readonly cuts?: readonly number[] } = {},
): Promise<readonly RawLine[]> => {
  const buffer = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
  return (await Array.fromAsync(readLines(chunksOf(buffer, cuts), mostBytes))).flat();
};

const text = (lineNumber: number, content: string): RawLine => ({ kind: 'text', lineNumber, text: content });

describe('readLines', () => {
  it('needs no line break after the last line, and makes no line of one that is there', async () => {
    expect(await linesOf('a\nb')).toEqual([text(1, 'a'), text(2, 'b')]);
    expect(await linesOf('a\nb\n')).toEqual([text(1, 'a'), text(2, 'b')]);
    expect(await linesOf('')).toEqual([]);
  });

  it('counts empty lines', async () => {
    expect(await linesOf('\n\na')).toEqual([text(1, ''), text(2, ''), text(3, 'a')]);
  });

  it('takes a carriage return before a line feed as part of the line break, and no other', async () => {
    expect(await linesOf('a\r\nb\rc\r\n\r\n')).toEqual([text(1, 'a'), text(2, 'b\rc'), text(3, '')]);
    expect(await linesOf('a\r\nb', { cuts: [2] })).toEqual([text(1, 'a'), text(2, 'b')]);
  });

  it('keeps the mark at the start of a file and the separators that only JavaScript breaks lines at', async () => {
    expect(await linesOf('\uFEFFa\u2028b\n')).toEqual([text(1, '\uFEFFa\u2028b')]);
  });

  it('keeps only the length of a line that is too long, and goes on with the next', async () => {
    const bytes = `${'x'.repeat(11)}\n${'y'.repeat(10)}\n${'z'.repeat(10)}\r\n`;
    expect(await linesOf(bytes, { mostBytes: 10 })).toEqual([
      { kind: 'too-long', lineNumber: 1, byteLength: 11 },
      text(2, 'y'.repeat(10)),
      text(3, 'z'.repeat(10)),
    ]);
  });

  it('measures a line that is too long over many chunks, whether or not it ends', async () => {
    const bytes = `${'x'.repeat(500)}\nshort\n${'y'.repeat(500)}`;
    const cuts = Array.from({ length: 100 }, (_, index) => index * 10);
    expect(await linesOf(bytes, { mostBytes: 20, cuts })).toEqual([
      { kind: 'too-long', lineNumber: 1, byteLength: 500 },
      text(2, 'short'),
      { kind: 'too-long', lineNumber: 3, byteLength: 500 },
    ]);
  });

  it('tells of bytes that are not UTF-8, wherever they are cut, and reads the lines around them', async () => {
    const bytes = Buffer.concat([Buffer.from('ä\n'), Buffer.from([0xe2, 0x82]), Buffer.from('\n€')]);
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      expect(await linesOf(bytes, { cuts: [cut] })).toEqual([
        text(1, 'ä'),
        { kind: 'not-utf8', lineNumber: 2 },
        text(3, '€'),
      ]);
    }
  });

  it('yields the lines that one chunk completed together, and nothing for a chunk that completed none', async () => {
    const bytes = Buffer.from('a\nb\ncdef\ng');
    const yielded = await Array.fromAsync(readLines(chunksOf(bytes, [5, 7]), 100));
    expect(yielded).toEqual([[text(1, 'a'), text(2, 'b')], [text(3, 'cdef')], [text(4, 'g')]]);
  });

  it('reads the same lines out of any bytes, however they are cut', async () => {
    const someBytes = fc
      .array(
        fc.oneof(
          {
            weight: 3,
            arbitrary: fc.constantFrom('\n', '\r', '\r\n', 'a', '€', '\u{1F600}').map((c) => Buffer.from(c)),
          },
          { weight: 1, arbitrary: fc.integer({ min: 0, max: 255 }).map((byte) => Buffer.from([byte])) },
        ),
        { maxLength: 60 },
      )
      .map((parts) => Buffer.concat(parts));
    const someCuts = fc.array(fc.nat(1_000), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(someBytes, someCuts, fc.nat(12), async (bytes, cuts, mostBytes) => {
        const inside = cuts.map((cut) => cut % (bytes.length + 1));
        expect(await linesOf(bytes, { cuts: inside, mostBytes })).toEqual(expectedLines(bytes, mostBytes));
      }),
      { numRuns: 1_000 },
    );
  });
});

/** The lines of the whole, by the text that Latin-1 makes of the bytes one by one. */
const expectedLines = (bytes: Buffer, mostBytes: number): readonly RawLine[] => {
  const pieces = bytes.toString('latin1').split('\n');
  if (pieces.at(-1) === '') pieces.pop();
  return pieces.map((piece, index) => expectedLine(piece, index + 1, mostBytes));
};

const expectedLine = (piece: string, lineNumber: number, mostBytes: number): RawLine => {
  const content = piece.endsWith('\r') ? piece.slice(0, -1) : piece;
  if (content.length > mostBytes) return { kind: 'too-long', lineNumber, byteLength: piece.length };
  try {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    return { kind: 'text', lineNumber, text: decoder.decode(Buffer.from(content, 'latin1')) };
  } catch {
    return { kind: 'not-utf8', lineNumber };
  }
};
