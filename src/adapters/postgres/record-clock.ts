/** The record's clock, mirrored in the process: same origin and rate as `clock` in the record. */
import { uptime } from 'node:os';
import type pg from 'pg';
import type { Clock } from '../../app/ports.ts';
import { type ClockReading, clockStepMs } from './clock-step.ts';

/** How often the record's clock is read again: the process's own stands still while a machine sleeps, and the server's may be set. */
const RESYNC_MS = 1_000;
/** Longest single timer, so that a sleeper notices when the clock was set. */
const LONGEST_TIMER_MS = 5_000;

interface Reading extends ClockReading {
  readonly readAtMs: number;
  readonly rate: number;
  readonly steps: number;
}

/** The record's clock in a process. */
export interface RecordClock extends Clock, Disposable {
  /** How many times as fast as real time it runs, as it was read last: 1 but in tests and benchmarks. */
  rate(): number;
}

/**
 * Mirrors the record's clock with the process's own monotonic one, and reads it again every second. A clock of the server
 * that was set meanwhile is noticed, and the record allows for it.
 */
export const openRecordClock = async (pool: pg.Pool): Promise<RecordClock> => {
  let reading = await readClock(pool);
  const readAgain = async (): Promise<void> => {
    const now = await readClock(pool);
    const stepMs = clockStepMs(reading, now);
    // Until the record has allowed for it, the step is noticed again.
    if (stepMs !== 0) await pool.query('SELECT allow_for_step($1, $2)', [stepMs, reading.steps]);
    reading = now;
  };
  // A record that is away has no clock to read; the last reading serves until it is back.
  const resync = setInterval(() => void readAgain().catch(() => {}), RESYNC_MS).unref();
  const nowMs = (): number => reading.recordMs + (performance.now() - reading.readAtMs) * reading.rate;
  return {
    nowMs,
    rate: () => reading.rate,
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
  const askedAtMs = uptimeMs();
  const { rows } = await pool.query<{ now_ms: number; rate: number; steps: number; setting: string }>(
    "SELECT now_ms() AS now_ms, rate, steps, concat_ws(' ', origin_ms, real_origin_ms, rate) AS setting FROM clock",
  );
  const [row] = rows;
  if (row === undefined) throw new Error('Expected the record to have a clock, got none.');
  const { now_ms: recordMs, rate, steps, setting } = row;
  return { recordMs, askedAtMs, heardAtMs: uptimeMs(), rate, steps, setting, readAtMs: performance.now() };
};

/** Unlike `performance.now()` it goes on while the machine sleeps, and unlike the time of day nobody sets it. */
const uptimeMs = (): number => uptime() * 1_000;

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
