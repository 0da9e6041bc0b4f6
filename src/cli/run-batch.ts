/** `run`: one shot, everything in one process, from the input file to the output file. */
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { openInput } from '../adapters/files/open-input.ts';
import { openGrowingFile, openWholeFile } from '../adapters/files/output-files.ts';
import { readLines } from '../adapters/files/read-lines.ts';
import { startNight, type Night } from '../app/night.ts';
import { partialWriter, writeOutputs } from '../app/outputs.ts';
import type { Batch, LaneQueues } from '../app/ports.ts';
import { isFinal, type Progress } from '../app/progress.ts';
import { lineId, type Reasons, RequestReader, type ReadingPolicy } from '../app/read-requests.ts';
import type { Config } from '../config/config.ts';
import { resolveModel } from '../config/resolve-model.ts';
import { duplicateLine, MAX_LINE_BYTES } from '../core/lines/bad-line.ts';
import type { Lane } from '../core/model.ts';
import { badLine } from '../core/lines/output-line.ts';
import type { Task } from '../core/tasks/task.ts';
import type { Nightshift } from '../wire.ts';

/** What the command line asked for. */
export interface RunRequest {
  /** A path, or `-`. */
  readonly input: string;
  readonly output: string;
  readonly errors: string;
  readonly task: Task | null;
  readonly pool: string | null;
  readonly name: string;
  readonly limit: number | null;
  /** Forget what the record holds of this input and begin again. */
  readonly fresh: boolean;
}

/** Told what happens, as it happens. */
export interface RunListener {
  ingesting(status: { readonly lines: number; readonly bytesRead: number; readonly bytes: number }): void;
  ingested(batch: Batch, reasons: Reasons, resumed: boolean): void;
  /** `lanes` are those the batch may run on. */
  progressed(progress: Progress, lanes: readonly Lane[]): void;
  draining(callsUnderWay: number): void;
}

/** How a run ended. */
export type RunEnd =
  | { readonly kind: 'finished'; readonly progress: Progress }
  /** `null` while the input was still being taken in: nothing of it remains. */
  | { readonly kind: 'interrupted'; readonly progress: Progress | null }
  /** Every lane the batch may use waits for a person: keys or money. */
  | { readonly kind: 'stuck'; readonly progress: Progress };

/** A run that could not begin or go on; the message says why and what to do. */
export class CannotRun extends Error {
  override readonly name = 'CannotRun';
}

/** Where documents go unless `--pool` says otherwise. */
const DOCUMENT_POOL = 'small';
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

/** The batch of this request: the one the record knows, or a new one. */
const takeIn = async (
  { store, routing, clock }: Nightshift,
  config: Config,
  request: RunRequest,
  listener: RunListener,
  signal: AbortSignal,
): Promise<Batch> => {
  await using input = await openInput(request.input, config.dataDirectory, signal);
  const identity = identityOf(request, input.hash);
  const known = await store.findByIdentity(identity);
  if (known !== null && !request.fresh) {
    await store.setOutput(known.id, request.output, request.errors);
    listener.ingested(known, { first: [], count: 0 }, true);
    return known;
  }
  await makeRoom(store, request, known);
  const reader = new RequestReader(readingPolicy(config, request), routing);
  const lines = readLines(input.open(), MAX_LINE_BYTES);
  let nextTellMs = 0;
  const told = (async function* () {
    for await (const rows of reader.rows(lines)) {
      signal.throwIfAborted();
      if (clock.nowMs() >= nextTellMs) {
        nextTellMs = clock.nowMs() + LOOK_EVERY_MS;
        listener.ingesting({
          lines: reader.goodCount + reader.reasons.count,
          bytesRead: input.bytesRead(),
          bytes: input.byteLength,
        });
      }
      yield rows;
    }
  })();
  const { task, name, output, errors } = request;
  const taken = await store.ingest(
    { identity, name, task, outputPath: output, errorPath: errors },
    told,
    (line, id, first) => badLine(lineId(line), duplicateLine(line, id, first)),
  );
  if (taken.kind === 'no-good-line') throw new CannotRun(noGoodLine(request.input, reader.reasons));
  listener.ingested(taken.batch, reader.reasons, taken.kind === 'exists');
  return taken.batch;
};

/** A batch is known by its input, its task and its policy. */
const identityOf = ({ task, pool, limit, input, name }: RunRequest, inputHash: string): string =>
  createHash('sha256')
    .update(JSON.stringify([inputHash, task?.taskKey ?? null, pool, limit, input === '-' ? name : null]))
    .digest('hex');

const readingPolicy = (config: Config, { task, pool, limit }: RunRequest): ReadingPolicy => ({
  task,
  pool,
  limit,
  documentPool: DOCUMENT_POOL,
  resolveModel: (name) => {
    const found = resolveModel(config, name);
    return found.kind === 'lanes' ? found : { kind: 'unknown', nearest: found.nearest };
  },
});

const makeRoom = async (
  store: Nightshift['store'],
  request: RunRequest,
  known: Batch | null,
): Promise<void> => {
  const other = await store.findUnfinishedByOutput(request.output);
  if (other !== null && !request.fresh) {
    throw new CannotRun(
      `Expected ${request.output} to be free, but it belongs to the unfinished batch "${other.name}" of another input, task or pool ` +
        `(${other.succeeded + other.failed + other.bad} of ${other.total} lines done). Finish that one with its own command, choose another --out, ` +
        'or add --fresh to give it up and begin anew.',
    );
  }
  for (const batch of [known, other]) if (batch !== null) await store.remove(batch.id);
};

const noGoodLine = (input: string, { first, count }: Reasons): string =>
  count === 0
    ? `Expected ${input === '-' ? 'standard input' : input} to hold at least one line, got none. Write one JSON object per line.`
    : `Expected ${input === '-' ? 'standard input' : input} to hold at least one line that can run, got none in ${count}:\n` +
      first.map((reason) => `  ${reason}`).join('\n') +
      (count > first.length ? `\n  … and ${count - first.length} more` : '');

/** Works on the batch until it is final, stuck, or interrupted. */
const work = async (
  nightshift: Nightshift,
  batch: Batch,
  listener: RunListener,
  interruption: Interruption,
): Promise<RunEnd> => {
  await using queues: LaneQueues & AsyncDisposable = await nightshift.openQueues();
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
    const kind = await watch(nightshift, batch.id, lanes, { listener, writePartial, interruption });
    await end(night, nightshift, batch.id, { listener, interruption, kind });
    const progress = await readProgress(nightshift, batch.id);
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
  readonly listener: RunListener;
  readonly writePartial: () => Promise<void>;
  readonly interruption: Interruption;
}

const watch = async (
  nightshift: Nightshift,
  batchId: number,
  lanes: readonly Lane[],
  { listener, writePartial, interruption }: Watching,
): Promise<RunEnd['kind']> => {
  while (!interruption.drain.aborted) {
    try {
      const now = await readProgress(nightshift, batchId);
      listener.progressed(now, lanes);
      if (isFinal(now.batch)) return 'finished';
      if (isStuck(now, lanes)) return 'stuck';
      await writePartial();
    } catch (error) {
      if (error instanceof CannotRun) throw error;
      nightshift.log.error({ err: error }, 'progress.failed');
    }
    await delay(LOOK_EVERY_MS, undefined, { signal: interruption.drain }).catch(() => {});
  }
  return 'interrupted';
};

const isStuck = ({ lanes, underWay }: Progress, own: readonly Lane[]): boolean => {
  const ownLanes = lanes.filter(({ laneId }) => own.some((lane) => lane.id === laneId));
  return underWay === 0 && ownLanes.every(({ closing }) => closing?.needsUser === true);
};

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

/** Paths as the record keeps them: absolute, so that a run from another directory means the same file. */
export const absolute = (path: string): string => resolve(path);
