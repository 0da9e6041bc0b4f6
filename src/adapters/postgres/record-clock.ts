/** The record's clock, mirrored in the process: same origin and rate as `clock` in the record. */
import type pg from 'pg';
import type { Clock } from '../../app/ports.ts';

/** Longest single timer; longer waits are cut into several, since timers are bounded at about 24.8 days. */
const LONGEST_TIMER_MS = 3_600_000;

/** Reads the record's clock once and goes on from there with the process's own monotonic one. */
export const openRecordClock = async (pool: pg.Pool): Promise<Clock> => {
  const { rows } = await pool.query<{ now_ms: number; rate: number }>(
    'SELECT now_ms() AS now_ms, rate FROM clock',
  );
  const { now_ms: originMs, rate } = rows[0] ?? { now_ms: Date.now(), rate: 1 };
  const startedMs = performance.now();
  const nowMs = (): number => originMs + (performance.now() - startedMs) * rate;
  return {
    nowMs,
    async sleepUntil(atMs, signal) {
      while (!signal.aborted && nowMs() < atMs) {
        await sleep(Math.min(LONGEST_TIMER_MS, Math.max(1, Math.ceil((atMs - nowMs()) / rate))), signal);
      }
    },
  };
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
