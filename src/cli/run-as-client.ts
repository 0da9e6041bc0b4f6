/** `run` where a service is at work: the service makes the calls, this process submits, watches and writes the files. */
import { openGrowingFile, openWholeFile } from '../adapters/files/output-files.ts';
import { type GrowingFile, writeOutputs } from '../app/outputs.ts';
import { type Batches, type BatchStatus, refOf } from '../app/batches.ts';
import { isFinal, type Progress } from '../app/progress.ts';
import { type Interruption, type RunEnd, watchToEnd } from './run-end.ts';
import type { RunListener, RunRequest } from './run-request.ts';
import { absenceOf } from './service-absence.ts';
import { sayingOnce } from './service-warnings.ts';
import { submitRequest } from './submit-request.ts';

/** What a client works with, and whom it tells. */
export interface ClientRun {
  readonly batches: Batches;
  readonly spoolDirectory: string;
  readonly listener: RunListener & { readonly say: (message: string) => void };
  readonly interruption: Interruption;
}

/**
 * Runs a batch to its end at a service. When it is interrupted, the service goes on; the same request again watches on,
 * or writes the output again.
 *
 * @throws BatchRefused if the service refuses the batch; CannotRun if the service is gone for a minute.
 */
export const runAsClient = async (run: ClientRun, request: RunRequest): Promise<RunEnd> => {
  const { batches, spoolDirectory, listener, interruption } = run;
  const submitted = await submitRequest(request, {
    batches,
    spoolDirectory,
    listener,
    signal: interruption.drain,
  });
  if (submitted === null) return { kind: 'interrupted', progress: null, laneTotals: [] };
  const { batch } = submitted;
  const ref = refOf(batch);
  const kind = isFinal(batch) ? 'finished' : await watch(run, request, ref);
  if (kind === 'finished') {
    await writeOutputs(
      batches.results(ref, { order: 'input', only: 'all' }),
      await openWholeFile(request.output),
      await openWholeFile(request.errors),
    );
  }
  return {
    kind,
    progress: progressIn(await batches.status(ref)),
    laneTotals: await batches.laneTotals(ref),
  };
};

/** Its lanes are those the batch may use. */
const progressIn = ({ progress, laneIds }: BatchStatus): Progress => ({
  ...progress,
  lanes: progress.lanes.filter(({ laneId }) => laneIds.includes(laneId)),
});

const watch = async (
  { batches, listener, interruption }: ClientRun,
  { output }: RunRequest,
  ref: string,
): Promise<RunEnd['kind']> => {
  const partial = await openGrowingFile(`${output}.partial`);
  const writePartial = partialOf(batches, ref, partial);
  const absence = absenceOf(listener.say);
  const warn = sayingOnce(listener.say);
  // Lanes are known of their workers where the service itself has no keys: without any, nothing says where the batch may go.
  let hasWorkers = false;
  const kind = await watchToEnd({
    look: async () => {
      const status = await batches.status(ref);
      absence.over();
      warn(status.warnings);
      hasWorkers = status.progress.lanes.some(({ workers }) => workers > 0);
      const now = progressIn(status);
      listener.progressed(now);
      return now;
    },
    seen: writePartial,
    canMove: ({ underWay, nextDueAtMs, lanes }) =>
      !hasWorkers ||
      underWay > 0 ||
      nextDueAtMs !== null ||
      lanes.some(({ closing }) => closing?.needsUser !== true),
    failed: absence.goesOn,
    signal: interruption.drain,
  });
  if (kind === 'finished') await partial.remove();
  return kind;
};

/** Reading results again costs the service more the more there are: this share of the time at most. */
const PARTIAL_SHARE = 0.05;

/** Appends what succeeded since the last time. The order of completion never changes, so what was written is skipped. */
const partialOf = (batches: Batches, ref: string, file: GrowingFile): (() => Promise<void>) => {
  let written = 0;
  let nextMs = 0;
  return async () => {
    const startedMs = performance.now();
    if (startedMs < nextMs) return;
    let skip = written;
    for await (const page of batches.results(ref, { order: 'completion', only: 'succeeded' })) {
      const lines = page.slice(skip);
      skip = Math.max(0, skip - page.length);
      await file.append(lines.map(({ line }) => line));
      written += lines.length;
    }
    const endedMs = performance.now();
    nextMs = endedMs + (endedMs - startedMs) / PARTIAL_SHARE;
  };
};
