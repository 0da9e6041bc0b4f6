import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { appendFile, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type InputFile, openInput } from '../../../src/adapters/files/open-input.ts';

let directory = '';

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nightshift-input-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

/** Opens a file of that name with that content. */
const inputOf = async (name: string, content: string | Uint8Array): Promise<InputFile> => {
  const path = join(directory, name);
  await writeFile(path, content);
  return await openInput(path, directory, new AbortController().signal);
};

const contentOf = async (input: InputFile): Promise<string> =>
  Buffer.concat(await Array.fromAsync(input.open())).toString('utf8');

const sha256 = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** About 700 kB that do not pack to nothing: several chunks, packed or not. */
const LONG = Array.from(
  { length: 10_000 },
  (_, index) => `{"id":${index},"text":"${sha256(String(index))}"}\n`,
).join('');

/** The last eight bytes of a gzip file are the checksum and the length. */
const withWrongChecksum = (): Buffer => {
  const packed = gzipSync('a\n');
  return packed.fill(0, packed.length - 8, packed.length - 4);
};

describe('openInput', () => {
  it('reads a file as often as it is asked to', async () => {
    await using input = await inputOf('in.jsonl', LONG);
    expect([input.hash, input.byteLength]).toEqual([sha256(LONG), Buffer.byteLength(LONG)]);
    expect(await contentOf(input)).toBe(LONG);
    expect(await contentOf(input)).toBe(LONG);
  });

  it('tells how much of the file was read, from the beginning with each opening', async () => {
    await using input = await inputOf('in.jsonl', LONG);
    expect(input.bytesRead()).toBe(0);
    await contentOf(input);
    expect(input.bytesRead()).toBe(input.byteLength);
    for await (const chunk of input.open()) {
      expect(input.bytesRead()).toBe(chunk.length);
      break;
    }
  });

  it('reads an empty file', async () => {
    await using input = await inputOf('in.jsonl', '');
    expect([input.byteLength, await contentOf(input)]).toEqual([0, '']);
  });

  it('unpacks a name that ends in .gz; hash and length are those of the file', async () => {
    const packed = gzipSync(LONG);
    await using input = await inputOf('in.jsonl.gz', packed);
    expect([input.hash, input.byteLength]).toEqual([sha256(packed), packed.length]);
    expect(await contentOf(input)).toBe(LONG);
    expect(input.bytesRead()).toBe(packed.length);
  });

  it('unpacks files that were packed apart and joined', async () => {
    await using input = await inputOf('in.jsonl.gz', Buffer.concat([gzipSync('a\n'), gzipSync('b\n')]));
    expect(await contentOf(input)).toBe('a\nb\n');
  });

  it.each([
    ['breaks off', gzipSync(LONG).subarray(0, -20)],
    ['is something else', Buffer.from('{"id":1}\n')],
    ['has a wrong checksum', withWrongChecksum()],
  ])('says so where a gzip file %s', async (_name, bytes) => {
    await using input = await inputOf('in.jsonl.gz', bytes);
    await expect(contentOf(input)).rejects.toThrow(
      /to be a whole gzip file, got one that breaks off or is something else. Pack it again/u,
    );
  });

  it.each(['in.jsonl', 'in.jsonl.gz'])(
    'says so at the end where %s is no longer what was hashed',
    async (name) => {
      const pack = (text: string) => (name.endsWith('.gz') ? gzipSync(text) : Buffer.from(text));
      await using input = await inputOf(name, pack('a\n'));
      await writeFile(join(directory, name), pack('b\n'));
      await expect(contentOf(input)).rejects.toThrow(
        /in\.jsonl\S* to stay as it is while it is read, got other content. Run again/u,
      );
    },
  );

  it('says so where the file grows while it is read', async () => {
    await using input = await inputOf('in.jsonl', LONG);
    const readingAndWriting = async (): Promise<void> => {
      let bytes = 0;
      for await (const chunk of input.open()) {
        if (bytes === 0) await appendFile(join(directory, 'in.jsonl'), 'one more\n');
        bytes += chunk.length;
      }
    };
    await expect(readingAndWriting()).rejects.toThrow('got other content');
  });

  it('may be left in the middle, as with a limit, without a word', async () => {
    for (const [name, bytes] of [
      ['in.jsonl', Buffer.from(LONG)],
      ['in.jsonl.gz', gzipSync(LONG)],
    ] as const) {
      await using input = await inputOf(name, bytes);
      const chunks = input.open()[Symbol.asyncIterator]();
      expect((await chunks.next()).value).not.toHaveLength(0);
      await chunks.return?.();
    }
  });

  it('names the way out where there is no file, or a directory', async () => {
    const { signal } = new AbortController();
    await expect(openInput(join(directory, 'none.jsonl'), directory, signal)).rejects.toThrow(
      /none\.jsonl to be a JSONL file, found none there. Check the path/u,
    );
    await expect(openInput(directory, directory, signal)).rejects.toThrow(/got a directory. Name one file/u);
  });
});

describe('standard input', () => {
  const module = fileURLToPath(new URL('../../../src/adapters/files/open-input.ts', import.meta.url));
  /** Opens it in a process of its own, in a folder that is not there yet; what that says, and leaves behind. */
  const openIn = async (folder: string, text: string, isEnded: boolean): Promise<string> => {
    const script = `
      const { openInput } = await import(${JSON.stringify(module)});
      const input = await openInput('-', ${JSON.stringify(folder)}, AbortSignal.timeout(${isEnded ? 20_000 : 300}));
      console.log((await Array.fromAsync(input.open())).join(''));
      await input[Symbol.asyncDispose]();`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script]);
    child.stdin.write(text);
    if (isEnded) child.stdin.end();
    const said = Array.fromAsync(child.stdout);
    await once(child, 'exit');
    return Buffer.concat(await said).toString('utf8');
  };

  it('is kept in a folder that is made for it, and not for longer than it is needed', async () => {
    const folder = join(directory, 'not', 'there');
    expect(await openIn(folder, '{"a":1}\n', true)).toBe('{"a":1}\n\n');
    expect(await readdir(folder)).toEqual([]);
  });

  it('leaves nothing behind where it is given up', async () => {
    const folder = join(directory, 'given-up');
    expect(await openIn(folder, '{"a":1}\n', false)).toBe('');
    expect(await readdir(folder)).toEqual([]);
  });
});
