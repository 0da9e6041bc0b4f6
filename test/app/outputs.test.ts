import { describe, expect, it } from 'vitest';
import { type GrowingFile, partialWriter, type WholeFile, writeOutputs } from '../../src/app/outputs.ts';
import type { FinalLine, ResultCursor } from '../../src/app/batch-store.ts';
import { aStore, eachOf } from './fakes.ts';

const good = (line: string): FinalLine => ({ succeeded: true, line });
const bad = (line: string): FinalLine => ({ succeeded: false, line });

/** A file that remembers its lines and how it ended; `fails` names the method that rejects. */
const aFile = (fails?: keyof WholeFile) => {
  const state = { lines: [] as string[], ends: [] as string[] };
  const unless = (method: keyof WholeFile, act: () => void) => {
    if (method === fails) throw new Error(`${method}: the disk is full`);
    act();
  };
  const file: WholeFile = {
    writeLines: async (lines) => unless('writeLines', () => state.lines.push(...lines)),
    complete: async () => unless('complete', () => state.ends.push('complete')),
    discard: async () => unless('discard', () => state.ends.push('discard')),
    remove: async () => unless('remove', () => state.ends.push('remove')),
  };
  return { ...state, file };
};

/** Results that break off after one success. */
async function* brokenOff(): AsyncGenerator<readonly FinalLine[]> {
  yield [good('1')];
  throw new Error('the record is away');
}

describe('writeOutputs', () => {
  it('writes successes to one file and all other lines to the other, both in input order', async () => {
    const output = aFile();
    const errors = aFile();
    const lines = eachOf([[good('1'), bad('2'), good('3')], [], [bad('4'), good('5')]]);
    await expect(writeOutputs(lines, output.file, errors.file)).resolves.toEqual({
      succeeded: 3,
      others: 2,
    });
    expect([output.lines, errors.lines]).toEqual([
      ['1', '3', '5'],
      ['2', '4'],
    ]);
    expect([output.ends, errors.ends]).toEqual([['complete'], ['complete']]);
  });

  it('removes the error file where every line succeeded', async () => {
    const output = aFile();
    const errors = aFile();
    await writeOutputs(eachOf([[good('1')]]), output.file, errors.file);
    expect([output.ends, errors.ends]).toEqual([['complete'], ['remove']]);
  });

  it('completes an empty output where no line succeeded', async () => {
    const output = aFile();
    const errors = aFile();
    await writeOutputs(eachOf([[bad('1')]]), output.file, errors.file);
    expect([output.lines, output.ends, errors.ends]).toEqual([[], ['complete'], ['complete']]);
  });

  it('throws both files away and says why when one cannot be written', async () => {
    const output = aFile();
    const errors = aFile('writeLines');
    const writing = writeOutputs(eachOf([[good('1'), bad('2')]]), output.file, errors.file);
    await expect(writing).rejects.toThrow('the disk is full');
    expect([output.ends, errors.ends]).toEqual([['discard'], ['discard']]);
  });

  it('throws both files away when the results break off', async () => {
    const output = aFile();
    const errors = aFile();
    await expect(writeOutputs(brokenOff(), output.file, errors.file)).rejects.toThrow('the record is away');
    expect([output.ends, errors.ends]).toEqual([['discard'], ['discard']]);
  });

  it('puts the output in its place last, so that where it stands the error file is right', async () => {
    const output = aFile();
    const errors = aFile('complete');
    await expect(writeOutputs(eachOf([[bad('1')]]), output.file, errors.file)).rejects.toThrow('full');
    expect(output.ends).toEqual(['discard']);
  });
});

/** Results by their order of completion; the cursor is how many were read. */
const growing = (pageSize: number) => {
  const results: FinalLine[] = [];
  const lines: string[] = [];
  const read = { failNext: false };
  const store = aStore({
    resultsSince: async (_batchId: number, cursor: ResultCursor, atMost: number) => {
      const from = cursor?.sequence ?? 0;
      const page = results.slice(from, from + Math.min(atMost, pageSize));
      return { lines: page, cursor: { writtenBy: 'test', sequence: from + page.length } };
    },
  });
  const file: GrowingFile = {
    append: async (some) => {
      if (read.failNext) {
        read.failNext = false;
        throw new Error('the disk is full');
      }
      lines.push(...some);
    },
    remove: async () => {},
  };
  return { results, lines, read, append: partialWriter(store, 1, file) };
};

describe('partialWriter', () => {
  it('appends the successes there are, page by page, and later only those that are new', async () => {
    const { results, lines, append } = growing(2);
    results.push(good('1'), bad('2'), good('3'), bad('4'), bad('5'), good('6'));
    await append();
    expect(lines).toEqual(['1', '3', '6']);
    await append();
    expect(lines).toEqual(['1', '3', '6']);
    results.push(good('7'));
    await append();
    expect(lines).toEqual(['1', '3', '6', '7']);
  });

  it('appends a page again that could not be appended', async () => {
    const { results, lines, read, append } = growing(10);
    results.push(good('1'));
    read.failNext = true;
    await expect(append()).rejects.toThrow('the disk is full');
    await append();
    expect(lines).toEqual(['1']);
  });
});
