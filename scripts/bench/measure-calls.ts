/** One batch, from the start of the process that makes its calls to its end, with what everything cost meanwhile. */
import type { InstantProvider } from './instant-provider.ts';
import { type Command, endOf, startScript } from './child-process.ts';
import { type Watched, watchProcesses } from './process-watch.ts';
import type { Measurement } from './variant.ts';

/** What is measured. */
export interface MeasuredBatch {
  readonly provider: InstantProvider;
  readonly lines: number;
  /** The process that makes the calls, and ends when the batch is done. */
  readonly command: Command;
  /** Its name in the table of processes. */
  readonly name: string;
  /** Everything else that works for the batch. */
  readonly watched: readonly Watched[];
}

/**
 * Runs the command and measures it.
 *
 * @throws Error if it fails, or if the provider did not see exactly one call per line.
 */
export const measureCalls = async (batch: MeasuredBatch): Promise<Omit<Measurement, 'grantToCall'>> => {
  const { provider, lines, command, name, watched } = batch;
  await provider.reset();
  const startedAtMs = Date.now();
  const child = startScript(command);
  const ended = endOf(child);
  const watch = watchProcesses([
    { name, pids: () => (child.pid === undefined ? [] : [child.pid]), memory: 'resident' },
    ...watched,
  ]);
  const endedAtMs = await ended.then(Date.now).catch((error: unknown) => {
    watch.stop();
    throw error;
  });
  const usages = watch.stop();
  const { calls, firstAtMs, lastAtMs } = await provider.span();
  if (calls !== lines)
    throw new Error(`Expected ${name} to make ${lines} calls, one per line, but the provider saw ${calls}.`);
  return { lines, startedAtMs, firstCallAtMs: firstAtMs, lastAnswerAtMs: lastAtMs, endedAtMs, usages };
};
