/** The structured log: one file in the data directory, never the terminal. */
import { mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import pino from 'pino';
import type { Log } from '../../app/ports.ts';

/** The log starts anew at this size; the one before is kept beside it. */
const LARGEST_BYTES = 20 * 1024 * 1024;

/**
 * Opens the log for appending. Entries are `noun.verb-past` with ids; document text and keys are never given to it.
 * What comes after it is closed is dropped: connections report their end to it, and some do so late.
 */
export const openLogFile = (path: string): Log & Disposable => {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > LARGEST_BYTES) renameSync(path, `${path}.1`);
  const destination = pino.destination({ dest: path, mode: 0o600, sync: false });
  return logTo(destination);
};

/** The same log on a stream, one JSON object per line: for whoever collects the output of processes. */
export const openLogStream = (stream: { readonly fd: number }): Log & Disposable =>
  logTo(pino.destination({ fd: stream.fd, sync: false }));

const logTo = (destination: ReturnType<typeof pino.destination>): Log & Disposable => {
  // A full disk costs the log, not the night.
  destination.on('error', () => {});
  const logger = pino({ base: { pid: process.pid } }, destination);
  let isOpen = true;
  const write =
    (level: 'info' | 'warn' | 'error') =>
    (fields: Readonly<Record<string, unknown>>, event: string): void => {
      if (isOpen) logger[level](fields, event);
    };
  return {
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    [Symbol.dispose]: () => {
      isOpen = false;
      destination.flushSync();
      destination.end();
    },
  };
};
