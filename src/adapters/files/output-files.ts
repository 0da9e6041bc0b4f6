/** Output files on disk. */
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { GrowingFile, WholeFile } from '../../app/outputs.ts';

/** Opens a file that appears at `path` whole, by rename; readers see the old one or the new one, never a part. */
export const openWholeFile = async (path: string): Promise<WholeFile> => {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  const file = await open(temporary, 'w');
  const discard = async (): Promise<void> => {
    await file.close().catch(() => {});
    await rm(temporary, { force: true });
  };
  return {
    async writeLines(lines) {
      await appendLines(file, lines);
    },
    async complete() {
      await file.sync();
      await file.close();
      await rename(temporary, path);
    },
    discard,
    async remove() {
      await discard();
      await rm(path, { force: true });
    },
  };
};

/**
 * Opens `path` anew and empty, by rename, so that several processes may do so at once: the last one's file is seen, and
 * the others go on writing to theirs, unseen.
 */
export const openGrowingFile = async (path: string): Promise<GrowingFile> => {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  const file = await open(temporary, 'w');
  await rename(temporary, path);
  return {
    async append(lines) {
      await appendLines(file, lines);
    },
    async remove() {
      await file.close();
      await rm(path, { force: true });
    },
  };
};

/** Lines are written together up to this many characters, and no string ever holds many large ones. */
const WRITE_CHARACTERS = 1024 * 1024;

const appendLines = async (file: FileHandle, lines: readonly string[]): Promise<void> => {
  let text = '';
  for (const line of lines) {
    text += `${line}\n`;
    if (text.length < WRITE_CHARACTERS) continue;
    await file.appendFile(text);
    text = '';
  }
  if (text !== '') await file.appendFile(text);
};
