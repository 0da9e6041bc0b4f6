/** `watch`: shows a batch until it is over. */
import { setTimeout as delay } from 'node:timers/promises';
import type { BatchStatus } from '../../app/batches.ts';
import { isFinal, linesNotSucceeded } from '../../app/progress.ts';
import { openBatches } from '../batches-at-hand.ts';
import { type CliContext, printJson, printLines } from '../context.ts';
import { batchSentence } from '../display/batch-text.ts';
import { openDisplay } from '../display/open-display.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { absenceOf } from '../service-absence.ts';
import { sayingOnce } from '../service-warnings.ts';
import type { BatchFlags } from './batches.ts';

/** Options of `watch`. */
export interface WatchFlags extends BatchFlags {
  readonly quiet?: boolean | undefined;
}

/** How often the batch is looked at. */
const LOOK_EVERY_MS = 1_000;

/**
 * Watches until every line is final, or Ctrl-C: that stops the watching and nothing else. A service that is away for less than
 * a minute is waited for.
 */
export async function watch(context: CliContext, ref: string, flags: WatchFlags): Promise<ExitCode> {
  await using at = await openBatches(context, flags);
  const display = openDisplay(context, flags.quiet === true);
  const stop = new AbortController();
  const interrupt = (): void => stop.abort();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt);
  const warn = sayingOnce(display.say);
  const absence = absenceOf(display.say);
  const lookAfter = async (before: BatchStatus): Promise<BatchStatus> => {
    try {
      const status = await at.batches.status(ref);
      absence.over();
      return status;
    } catch (error) {
      absence.goesOn(error);
      return before;
    }
  };
  let last: BatchStatus | null = null;
  try {
    for (;;) {
      last = last === null ? await at.batches.status(ref) : await lookAfter(last);
      const { progress, laneIds, warnings } = last;
      warn(warnings);
      display.progressed({
        ...progress,
        lanes: progress.lanes.filter(({ laneId }) => laneIds.includes(laneId)),
      });
      if (isFinal(progress.batch) || stop.signal.aborted) break;
      await delay(LOOK_EVERY_MS, undefined, { signal: stop.signal }).catch(() => {});
    }
  } finally {
    display.close();
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, interrupt);
  }
  const { batch, atMs } = last.progress;
  if (flags.json === true) printJson(context.stdout, last);
  else printLines(context.stdout, [batchSentence(batch, atMs)]);
  if (!isFinal(batch)) return EXIT.interrupted;
  return linesNotSucceeded(batch) > 0 ? EXIT.someFailed : EXIT.done;
}
