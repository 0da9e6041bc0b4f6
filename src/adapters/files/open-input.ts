/** The user's input: a file, a gzipped file, or standard input. */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { BatchInput } from '../../app/batches.ts';

/** An input that can be read more than once; `open` and `raw` throw at the end if it is no longer the file that was hashed. */
export interface InputFile extends BatchInput, AsyncDisposable {}

/** Enough for a few hundred lines at a time; larger reads only cost memory. */
const CHUNK_BYTES = 256 * 1024;

/**
 * Opens an input. `-` is standard input, which is first written to a file in `spoolDirectory` and removed when the
 * input is disposed; a name that ends in `.gz` is unpacked as it is read.
 *
 * @throws with the way out if the file cannot be read.
 */
export const openInput = async (
  path: string,
  spoolDirectory: string,
  signal: AbortSignal,
): Promise<InputFile> => {
  if (path !== '-') return await openFile(path, path);
  // A client of a service may have no data directory yet.
  await mkdir(spoolDirectory, { recursive: true, mode: 0o700 });
  const spool = join(spoolDirectory, `standard-input-${process.pid}.jsonl`);
  const remove = async (): Promise<void> => await rm(spool, { force: true });
  try {
    await pipeline(process.stdin, createWriteStream(spool, { mode: 0o600 }), { signal });
    return { ...(await openFile(spool, 'standard input')), [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw error;
  }
};

const openFile = async (path: string, shownAs: string): Promise<InputFile> => {
  const isGzip = path.endsWith('.gz');
  const byteLength = await sizeOf(path, shownAs);
  const hash = await hashOf(path);
  let read = 0;
  async function* readAll(isUnpacked: boolean): AsyncGenerator<Buffer> {
    read = 0;
    const again = createHash('sha256');
    const raw = countAndHash(createReadStream(path, { highWaterMark: CHUNK_BYTES }), again, (bytes) => {
      read += bytes;
    });
    yield* isUnpacked ? unzip(raw, shownAs) : raw;
    if (again.digest('hex') !== hash) {
      throw new Error(
        `Expected ${shownAs} to stay as it is while it is read, got other content. Run again when nothing writes to it.`,
      );
    }
  }
  return {
    hash,
    byteLength,
    shownAs,
    isGzip,
    bytesRead: () => read,
    open: () => readAll(isGzip),
    raw: () => readAll(false),
    [Symbol.asyncDispose]: async () => {},
  };
};

async function* countAndHash(
  chunks: AsyncIterable<Buffer>,
  hash: Hash,
  count: (bytes: number) => void,
): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    hash.update(chunk);
    count(chunk.length);
    yield chunk;
  }
}

async function* unzip(chunks: AsyncIterable<Buffer>, shownAs: string): AsyncGenerator<Buffer> {
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
  const fed = pipeline(chunks, gunzip).catch(() => {});
  try {
    for await (const chunk of gunzip) yield Buffer.from(chunk);
  } catch (error) {
    throw new Error(
      `Expected ${shownAs} to be a whole gzip file, got one that breaks off or is something else. Pack it again.`,
      { cause: error },
    );
  }
  await fed;
}

const sizeOf = async (path: string, shownAs: string): Promise<number> => {
  try {
    const found = await stat(path);
    if (found.isDirectory())
      throw new Error(`Expected ${shownAs} to be a JSONL file, got a directory. Name one file in it.`);
    return found.size;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      throw new Error(
        `Expected ${shownAs} to be a JSONL file, found none there. Check the path; \`-\` reads standard input.`,
        { cause: error },
      );
    }
    throw error;
  }
};

const hashOf = async (path: string): Promise<string> => {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: CHUNK_BYTES }), hash);
  return hash.digest('hex');
};
