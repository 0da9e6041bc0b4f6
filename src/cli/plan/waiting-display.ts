/** What a person sees who waits for a forecast: nothing at first, then how far it is. */
import { createLogUpdate } from 'log-update';
import type { IngestStatus } from '../../app/batches.ts';
import type { CliContext } from '../context.ts';
import { readingText } from '../display/reading-text.ts';

/** Told how far things are. */
export interface WaitingDisplay {
  readonly reading: (status: IngestStatus) => void;
  readonly planning: (made: number, all: number) => void;
  /** Wipes what it shows. */
  readonly close: () => void;
}

/** Less than this is no waiting. */
const SHOWN_AFTER_MS = 2_000;
/** Where lines stay, they come this seldom. */
const PLAIN_EVERY_MS = 10_000;

/** Shows it on standard error: in place on a terminal, in seldom lines elsewhere. `nowMs` is any steady clock. */
export function waitingDisplay({ stderr }: CliContext, nowMs: () => number): WaitingDisplay {
  const startedAtMs = nowMs();
  const isTerminal = stderr.isTTY === true;
  const live = isTerminal && stderr === process.stderr ? createLogUpdate(process.stderr) : null;
  let lastAtMs = startedAtMs + SHOWN_AFTER_MS - PLAIN_EVERY_MS;
  const show = (text: string): void => {
    if (nowMs() - startedAtMs < SHOWN_AFTER_MS) return;
    if (live !== null) {
      live(text);
      return;
    }
    if (nowMs() - lastAtMs < PLAIN_EVERY_MS) return;
    lastAtMs = nowMs();
    stderr.write(`${text}\n`);
  };
  return {
    reading: (status) => show(readingText(status)),
    planning: (made, all) => show(`planning: ${made} of ${all}`),
    close: () => live?.clear(),
  };
}
