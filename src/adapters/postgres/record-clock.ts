/** The record's clock, mirrored in the process: same origin and rate as `clock` in the record. */
import type pg from 'pg';
import type { Clock } from '../../app/ports.ts';

/** How often the record's clock is read again: the process's own stands still while a machine sleeps. */
const RESYNC_MS = 5_000;
/** Longest single timer, so that a sleeper notices when the clock was set. */
const LONGEST_TIMER_MS = 5_000;

interface Reading {
  readonly recordMs: number;
  readonly readAtMs: number;
  readonly rate: number;
}

/** Mirrors the record's clock with the process's own monotonic one, and reads it again every 5 s. */
export const openRecordClock = async (pool: pg.Pool): Promise<Clock & Disposable> => {
  let reading = await readClock(pool);
  const readAgain = async (): Promise<void> => {
    reading = await readClock(pool);
  };
  // A record that is away has no clock to read; the last reading serves until it is back.
  const resync = setInterval(() => void readAgain().catch(() => {}), RESYNC_MS).unref();
  const nowMs = (): number => reading.recordMs + (performance.now() - reading.readAtMs) * reading.rate;
  return {
    nowMs,
    async sleepUntil(atMs, signal) {
      while (!signal.aborted && nowMs() < atMs) {
        await sleep(
          Math.min(LONGEST_TIMER_MS, Math.max(1, Math.ceil((atMs - nowMs()) / reading.rate))),
          signal,
        );
      }
    },
    [Symbol.dispose]: () => clearInterval(resync),
  };
};

const readClock = async (pool: pg.Pool): Promise<Reading> => {
  const { rows } = await pool.query<{ now_ms: number; rate: number }>(
    'SELECT now_ms() AS now_ms, rate FROM clock',
  );
  const [row] = rows;
  if (row === undefined) throw new Error('Expected the record to have a clock, got none.');
  return { recordMs: row.now_ms, readAtMs: performance.now(), rate: row.rate };
};

const sleep = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
