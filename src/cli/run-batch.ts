/** `run`: one shot, everything in one process, from the input file to the output file. */
import { openGrowingFile, openWholeFile } from '../adapters/files/output-files.ts';
import { announcementOf } from '../app/announce.ts';
import { lanesUnder } from '../app/batch-policy.ts';
import { type Night, startNight } from '../app/night.ts';
import { partialWriter, writeOutputs } from '../app/outputs.ts';
import type { Batch } from '../app/batch-store.ts';
import type { ServedLane } from '../app/process-registry.ts';
import { isFinal, type Progress } from '../app/progress.ts';
import type { Config } from '../config/config.ts';
import type { Nightshift } from '../wire.ts';
import { type Interruption, type RunEnd, watchToEnd } from './run-end.ts';
import { CannotRun, type RunListener, type RunRequest } from './run-request.ts';
import { submitRequest } from './submit-request.ts';

/** What a run works with, and whom it tells. */
export interface Running {
  readonly nightshift: Nightshift;
  readonly config: Config;
  readonly listener: RunListener;
  readonly interruption: Interruption;
}

/**
 * Runs a batch to its end. The same request again resumes, or writes the output again without a call.
 *
 * @throws BatchRefused if the input has no good line, or the output belongs to another unfinished batch; CannotRun if
 *   no lane can serve what is left.
 */
export const runBatch = async (running: Running, request: RunRequest): Promise<RunEnd> => {
  const { nightshift, config, listener, interruption } = running;
  const submitted = await submitRequest(request, {
    batches: nightshift.batches({ isServed: false, cancelPatienceMs: 0 }),
    spoolDirectory: config.dataDirectory,
    listener,
    signal: interruption.drain,
  });
  if (submitted === null) return { kind: 'interrupted', progress: null, laneTotals: [] };
  const { batch } = submitted;
  const kind = isFinal(batch) ? 'finished' : await work(running, request, batch);
  if (kind === 'finished') {
    await writeOutputs(
      nightshift.store.finalLines(batch.id),
      await openWholeFile(request.output),
      await openWholeFile(request.errors),
    );
  }
  const lanes = await lanesOfBatch(nightshift, batch);
  return {
    kind,
    progress: await readProgress(nightshift, batch.id, lanes),
    laneTotals: await nightshift.explain.laneTotals(batch.id),
  };
};

/** Its lanes are those the batch may use. */
const readProgress = async (
  { progress, routing }: Nightshift,
  batchId: number,
  own: readonly ServedLane[],
): Promise<Progress> => {
  const now = await progress.read(batchId, routing);
  if (now === null)
    throw new CannotRun('The batch was removed while it ran: another run gave it up with --fresh.');
  return { ...now, lanes: now.lanes.filter(({ laneId }) => own.some(({ lane }) => lane.id === laneId)) };
};

/** Works on the batch until it is final, stuck, or interrupted. */
const work = async (
  { nightshift, config, listener, interruption }: Running,
  request: RunRequest,
  batch: Batch,
): Promise<RunEnd['kind']> => {
  const { store, log, routing } = nightshift;
  await using queues = await nightshift.openQueues();
  await store.adoptConfiguration(batch.id, routing);
  const served = await lanesOfBatch(nightshift, batch);
  if (served.length === 0) {
    throw new CannotRun(
      'Expected at least one lane that can serve this batch, got none: the lanes it was taken in for are no longer in the configuration, or its policy rules them out by now.',
    );
  }
  const partial = await openGrowingFile(`${request.output}.partial`);
  const writePartial = partialWriter(store, batch.id, partial);
  const look = (): Promise<Progress> => readProgress(nightshift, batch.id, served);
  const announcement = announcementOf({
    roles: ['dispatcher', 'worker'],
    routing,
    configHash: config.hash,
  });
  const provider = await nightshift.openProvider();
  const night = await startNight(
    { ...nightshift, queues, provider, random01: Math.random },
    {
      announcement: { ...announcement, lanes: served },
      dispatched: async () => served,
      worked: async () => served,
    },
  );
  try {
    const kind = await watchToEnd({
      look: async () => {
        const now = await look();
        listener.progressed(now);
        return now;
      },
      seen: writePartial,
      canMove: (now) => canMove(now, night),
      failed: (error) => log.error({ err: error }, 'progress.failed'),
      signal: interruption.drain,
    });
    await end(night, { kind, interruption, underWay: async () => (await look()).underWay, listener });
    const last = await look();
    listener.progressed(last);
    if (isFinal(last.batch)) {
      await partial.remove();
      return 'finished';
    }
    await writePartial();
    return kind === 'finished' ? 'interrupted' : kind;
  } finally {
    await night.drain();
  }
};

/** Whether anything is under way, waits for an instant, or may be granted sooner or later. */
const canMove = (now: Progress, night: Night): boolean =>
  now.underWay > 0 ||
  now.nextDueAtMs !== null ||
  // What may be paid for is known once there is a plan.
  (now.batch.maxCostNanoDollars !== null && now.forecast === null) ||
  now.lanes.some(({ laneId, closing }) => closing?.needsUser !== true && !night.hasNoWork(laneId));

interface Ending {
  readonly kind: RunEnd['kind'];
  readonly interruption: Interruption;
  readonly underWay: () => Promise<number>;
  readonly listener: RunListener;
}

const end = async (night: Night, { kind, interruption, underWay, listener }: Ending): Promise<void> => {
  if (kind === 'interrupted') listener.draining(await underWay());
  interruption.abort.addEventListener('abort', () => night.abort(), { once: true });
  if (interruption.abort.aborted) night.abort();
  await night.drain();
};

/** The lanes that requests of the batch may run on. */
const lanesOfBatch = async ({ store, routing }: Nightshift, batch: Batch): Promise<readonly ServedLane[]> => {
  return lanesUnder(batch, routing, await store.poolNamesOf(batch.id)).flatMap((lane) => {
    const provider = routing.provider(lane.providerId);
    return provider === undefined ? [] : [{ lane, provider }];
  });
};
