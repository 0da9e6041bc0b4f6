/** The note that a service leaves in its data directory, so that commands on the same directory become its clients. */
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const NAME = 'service.json';
/** A service that does not answer in this time is treated as none. */
const ANSWER_PATIENCE_MS = 2_000;

const note = z.object({ url: z.string(), pid: z.number().int().positive() });

/** A note that was left. Disposing removes it, unless another service has left its own since. */
export interface ServiceNote extends AsyncDisposable {
  /** Leaves it again if none is there: another service, which had left its own, has gone. */
  renew(): Promise<void>;
}

/** Leaves the note. */
export const leaveServiceNote = async (dataDirectory: string, url: string): Promise<ServiceNote> => {
  const path = join(dataDirectory, NAME);
  const leave = async (): Promise<void> => {
    const temporary = `${path}.${process.pid}.tmp`;
    await writeFile(temporary, `${JSON.stringify({ url, pid: process.pid })}\n`, { mode: 0o600 });
    await rename(temporary, path);
  };
  await leave();
  return {
    async renew() {
      if ((await readNote(path)) === null) await leave();
    },
    async [Symbol.asyncDispose]() {
      const found = await readNote(path);
      if (found?.pid === process.pid) await rm(path, { force: true });
    },
  };
};

/** The URL of the service that runs on this data directory; `null` where none does, whatever a dead one left. */
export const findService = async (dataDirectory: string): Promise<string | null> => {
  const found = await readNote(join(dataDirectory, NAME));
  if (found === null || !isAlive(found.pid)) return null;
  try {
    const response = await fetch(new URL('/healthz', found.url), {
      signal: AbortSignal.timeout(ANSWER_PATIENCE_MS),
    });
    await response.body?.cancel();
    return response.ok ? found.url : null;
  } catch {
    return null;
  }
};

const readNote = async (path: string): Promise<z.output<typeof note> | null> => {
  try {
    return note.safeParse(JSON.parse(await readFile(path, 'utf8'))).data ?? null;
  } catch {
    return null;
  }
};

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
};
