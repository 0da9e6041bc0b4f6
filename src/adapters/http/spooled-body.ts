/** The body of an upload on disk: written and hashed as it comes, readable as often as needed, gone when it is closed. */
import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { BatchRefused, type BatchInput } from '../../app/batches.ts';

/** Fewer would cost more reads, more only memory. */
const CHUNK_BYTES = 256 * 1024;
const SHOWN_AS = "the request's body";

/**
 * Writes a body to a file that only this process can read, and whose name is gone before the first byte is in it: even
 * a killed process leaves nothing behind. Rejects, with the file gone, if the body breaks off.
 *
 * @throws BatchRefused `unready` when the disk is full.
 */
export const spoolBody = async (
  body: AsyncIterable<Buffer>,
  directory: string,
  isGzip: boolean,
): Promise<BatchInput & AsyncDisposable> => {
  const file = await openNameless(join(directory, `upload-${process.pid}-${randomUUID()}`));
  try {
    const { hash, byteLength } = await write(body, file);
    return spooledInput(file, { hash, byteLength, isGzip });
  } catch (error) {
    await file.close();
    throw isFullDisk(error) ? fullDisk(directory, error) : error;
  }
};

const openNameless = async (path: string): Promise<FileHandle> => {
  const file = await open(path, 'wx+', 0o600);
  try {
    await rm(path);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
};

const write = async (
  body: AsyncIterable<Buffer>,
  file: FileHandle,
): Promise<{ readonly hash: string; readonly byteLength: number }> => {
  const hash = createHash('sha256');
  let byteLength = 0;
  for await (const chunk of body) {
    hash.update(chunk);
    byteLength += chunk.length;
    await file.appendFile(chunk);
  }
  return { hash: hash.digest('hex'), byteLength };
};

const spooledInput = (
  file: FileHandle,
  facts: { readonly hash: string; readonly byteLength: number; readonly isGzip: boolean },
): BatchInput & AsyncDisposable => {
  let read = 0;
  const raw = async function* (): AsyncGenerator<Buffer> {
    let position = 0;
    read = 0;
    for (;;) {
      const { bytesRead, buffer } = await file.read(
        Buffer.allocUnsafe(CHUNK_BYTES),
        0,
        CHUNK_BYTES,
        position,
      );
      if (bytesRead === 0) return;
      position += bytesRead;
      read = position;
      yield buffer.subarray(0, bytesRead);
    }
  };
  return {
    ...facts,
    shownAs: SHOWN_AS,
    raw,
    open: () => (facts.isGzip ? unpacked(raw()) : raw()),
    bytesRead: () => read,
    [Symbol.asyncDispose]: () => file.close(),
  };
};

async function* unpacked(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
  const fed = pipeline(chunks, gunzip).catch(() => {});
  try {
    for await (const chunk of gunzip) yield Buffer.from(chunk);
  } catch (cause) {
    throw new BatchRefused(
      'invalid',
      `Expected ${SHOWN_AS} to be whole gzip data, as its Content-Encoding says, got data that breaks off or is something else. Pack it again, or leave the header out.`,
      { cause },
    );
  } finally {
    gunzip.destroy();
    await fed;
  }
}

const isFullDisk = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');

const fullDisk = (directory: string, cause: unknown): BatchRefused =>
  new BatchRefused(
    'unready',
    `Expected room for ${SHOWN_AS} in ${directory}, got a full disk. Free some space there, or send the lines gzipped.`,
    { cause },
  );
