/** From the user's signals to what a run does about them. */
import type { Interruption } from './run-end.ts';

/** What sends signals; `process` is such. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: () => void): unknown;
  off(signal: NodeJS.Signals, listener: () => void): unknown;
}

/** What is done about the user's second and third thoughts. */
export interface InterruptionListener {
  drainRequested(): void;
  abortRequested(): void;
  /** Ends the process at once. */
  exitRequested(): void;
}

/** Signals of the user, as long as it is not disposed. */
export interface WatchedSignals extends Interruption, Disposable {}

/**
 * A launcher, npm and the terminal may each deliver the same Ctrl-C. What follows another within this time is the
 * same one; nobody presses it twice so fast and means two things.
 */
const SAME_PRESS_MS = 250;

/**
 * Ctrl-C drains, a second one aborts, a third one exits. SIGTERM and SIGHUP drain, however often they come.
 * `nowMs` is any steady clock.
 */
export function watchSignals(
  source: SignalSource,
  listener: InterruptionListener,
  nowMs: () => number,
): WatchedSignals {
  const drain = new AbortController();
  const abort = new AbortController();
  let lastPressMs = -Infinity;
  const stop = (): void => {
    lastPressMs = nowMs();
    if (drain.signal.aborted) return;
    drain.abort();
    listener.drainRequested();
  };
  const press = (): void => {
    if (nowMs() - lastPressMs < SAME_PRESS_MS) return;
    lastPressMs = nowMs();
    if (!drain.signal.aborted) return stop();
    if (abort.signal.aborted) return listener.exitRequested();
    abort.abort();
    listener.abortRequested();
  };
  source.on('SIGINT', press);
  source.on('SIGTERM', stop);
  source.on('SIGHUP', stop);
  return {
    drain: drain.signal,
    abort: abort.signal,
    [Symbol.dispose]() {
      source.off('SIGINT', press);
      source.off('SIGTERM', stop);
      source.off('SIGHUP', stop);
    },
  };
}
