/** `run`: one shot, everything in one process, from the input file to the output file. */
import { setTimeout as delay } from 'node:timers/promises';
import { openGrowingFile, openWholeFile } from '../adapters/files/output-files.ts';
import { type Night, startNight } from '../app/night.ts';
import { partialWriter, writeOutputs } from '../app/outputs.ts';
import type { Batch } from '../app/ports.ts';
import { isFinal, linesDone, type Progress } from '../app/progress.ts';
import type { Config } from '../config/config.ts';
import type { Lane } from '../core/model.ts';
import type { Nightshift } from '../wire.ts';
import { CannotRun, type RunListener, type RunRequest } from './run-request.ts';
import { takeIn } from './take-in.ts';

/** How a run ended. */
export type RunEnd =
  | { readonly kind: 'finished'; readonly progress: Progress }
  /** `null` while the input was still being taken in: nothing of it remains. */
  | { readonly kind: 'interrupted'; readonly progress: Progress | null }
  /** Every lane the batch may use waits for a person: keys or money. */
  | { readonly kind: 'stuck'; readonly progress: Progress };

/** How often progress is read and partial results are written. */
const LOOK_EVERY_MS = 500;

/** Signals of the user: the first drains, the second aborts the calls under way. */
export interface Interruption {
  readonly drain: AbortSignal;
  readonly abort: AbortSignal;
}

/**
 * Runs a batch to its end. The same request again resumes, or writes the output again without a call.
 *
 * @throws CannotRun if the input has no good line, or the output belongs to another unfinished batch.
 */
export const runBatch = async (
  nightshift: Nightshift,
  config: Config,
  request: RunRequest,
  listener: RunListener,
  interruption: Interruption,
): Promise<RunEnd> => {
  const batch = await takeIn(nightshift, config, request, listener, interruption.drain).catch(
    (error: unknown) => {
      if (interruption.drain.aborted) return null;
      throw error;
    },
  );
  if (batch === null) return { kind: 'interrupted', progress: null };
  if (!isFinal(batch)) {
    const end = await work(nightshift, batch, listener, interruption);
    if (end.kind !== 'finished') return end;
  }
  await writeOutputs(
    nightshift.store,
    batch.id,
    await openWholeFile(request.output),
    await openWholeFile(request.errors),
  );
  await nightshift.store.markCompleted(batch.id);
  return { kind: 'finished', progress: await readProgress(nightshift, batch.id) };
};

const readProgress = async ({ progress }: Nightshift, batchId: number): Promise<Progress> => {
  const now = await progress.read(batchId);
  if (now === null)
    throw new CannotRun('The batch was removed while it ran: another run gave it up with --fresh.');
  return now;
};

/** Works on the batch until it is final, stuck, or interrupted. */
const work = async (
  nightshift: Nightshift,
  batch: Batch,
  listener: RunListener,
  interruption: Interruption,
): Promise<RunEnd> => {
  await using queues = await nightshift.openQueues();
  await nightshift.store.adoptConfiguration(batch.id);
  const lanes = await lanesOfBatch(nightshift, batch.id);
  if (lanes.length === 0) {
    throw new CannotRun(
      'Expected at least one lane that can serve this batch, got none: the lanes it was taken in for are no longer in the configuration.',
    );
  }
  const partial = await openGrowingFile(`${batch.outputPath}.partial`);
  const writePartial = partialWriter(nightshift.store, batch.id, partial);
  const night = await startNight({ ...nightshift, queues, random01: Math.random }, lanes);
  try {
    const kind = await watch(nightshift, batch.id, lanes, { night, listener, writePartial, interruption });
    await end(night, nightshift, batch.id, { listener, interruption, kind });
    const all = await readProgress(nightshift, batch.id);
    const progress = { ...all, lanes: lanesOf(all, lanes) };
    listener.progressed(progress, lanes);
    if (isFinal(progress.batch)) {
      await partial.remove();
      return { kind: 'finished', progress };
    }
    await writePartial();
    return { kind: kind === 'finished' ? 'interrupted' : kind, progress };
  } finally {
    await night.drain();
  }
};

interface Watching {
  readonly night: Night;
  readonly listener: RunListener;
  readonly writePartial: () => Promise<void>;
  readonly interruption: Interruption;
}

const watch = async (
  nightshift: Nightshift,
  batchId: number,
  lanes: readonly Lane[],
  { night, listener, writePartial, interruption }: Watching,
): Promise<RunEnd['kind']> => {
  let stillLooks = 0;
  while (!interruption.drain.aborted) {
    try {
      const now = await readProgress(nightshift, batchId);
      listener.progressed(now, lanes);
      if (isFinal(now.batch)) return 'finished';
      stillLooks = canMove(now, lanes, night) ? 0 : stillLooks + 1;
      if (stillLooks >= STILL_LOOKS) return whyStill(now, lanes);
      await writePartial();
    } catch (error) {
      if (error instanceof CannotRun) throw error;
      nightshift.log.error({ err: error }, 'progress.failed');
    }
    await delay(LOOK_EVERY_MS, undefined, { signal: interruption.drain }).catch(() => {});
  }
  return 'interrupted';
};

/** A batch that could not move at so many looks in a row never will by itself. */
const STILL_LOOKS = 4;

/** Whether anything is under way, waits for an instant, or may be granted sooner or later. */
const canMove = (now: Progress, own: readonly Lane[], night: Night): boolean =>
  now.underWay > 0 ||
  now.nextDueAtMs !== null ||
  lanesOf(now, own).some(({ laneId, closing }) => closing?.needsUser !== true && !night.hasNoWork(laneId));

/** @throws CannotRun unless it is a person that some lane waits for. */
const whyStill = (now: Progress, own: readonly Lane[]): 'stuck' => {
  if (lanesOf(now, own).some(({ closing }) => closing?.needsUser === true)) return 'stuck';
  const left = now.batch.total - linesDone(now.batch);
  throw new CannotRun(
    `Expected lanes for all lines of the batch "${now.batch.name}", got ${left} lines that no lane of this configuration may serve: ` +
      'their model or pool is no longer in it, or its limits have become too small for them. ' +
      'Put it back and run the same again, or run with --fresh to have them explained line by line.',
  );
};

const lanesOf = ({ lanes }: Progress, own: readonly Lane[]): Progress['lanes'] =>
  lanes.filter(({ laneId }) => own.some((lane) => lane.id === laneId));

const end = async (
  night: Night,
  nightshift: Nightshift,
  batchId: number,
  {
    listener,
    interruption,
    kind,
  }: Pick<Watching, 'listener' | 'interruption'> & { readonly kind: RunEnd['kind'] },
): Promise<void> => {
  if (kind === 'interrupted') listener.draining((await readProgress(nightshift, batchId)).underWay);
  interruption.abort.addEventListener('abort', () => night.abort(), { once: true });
  if (interruption.abort.aborted) night.abort();
  await night.drain();
};

/** The lanes that requests of the batch may run on. */
const lanesOfBatch = async ({ store, routing }: Nightshift, batchId: number): Promise<readonly Lane[]> => {
  const names = await store.poolNamesOf(batchId);
  const lanes = names.flatMap((name) => routing.lanesOf(name));
  return [...new Map(lanes.map((lane) => [lane.id, lane])).values()];
};
