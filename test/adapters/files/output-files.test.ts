import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openGrowingFile, openWholeFile } from '../../../src/adapters/files/output-files.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nightshift-output-'));
});
afterEach(async () => await rm(folder, { recursive: true, force: true }));

describe('an output file', () => {
  it('appears whole, and only when it is complete', async () => {
    const path = join(folder, 'deep', 'out.jsonl');
    const file = await openWholeFile(path);
    await file.writeLines(['a', 'b']);
    await expect(readFile(path, 'utf8')).rejects.toThrow('ENOENT');
    await file.complete();
    expect(await readFile(path, 'utf8')).toBe('a\nb\n');
    expect(await readdir(join(folder, 'deep'))).toEqual(['out.jsonl']);
  });

  it('leaves the older one alone when it is discarded', async () => {
    const path = join(folder, 'out.jsonl');
    const first = await openWholeFile(path);
    await first.complete();
    const second = await openWholeFile(path);
    await second.writeLines(['half']);
    await second.discard();
    expect(await readFile(path, 'utf8')).toBe('');
    expect(await readdir(folder)).toEqual(['out.jsonl']);
  });
});

describe('a partial file', () => {
  it('can be opened by several at once, and each sees only its own lines', async () => {
    const path = join(folder, 'out.jsonl.partial');
    const first = await openGrowingFile(path);
    await first.append(['old']);
    const second = await openGrowingFile(path);
    await Promise.all([first.append(['more']), second.append(['new'])]);
    expect(await readFile(path, 'utf8')).toBe('new\n');
    await Promise.all([first.remove(), second.remove()]);
    expect(await readdir(folder)).toEqual([]);
  });
});
