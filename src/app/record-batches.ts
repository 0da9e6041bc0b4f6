/** {@link Batches} on the record itself. */
import { nearestNames } from '../core/nearest.ts';
import { disagreements } from './announce.ts';
import { lanesUnder, requireServing } from './batch-policy.ts';
import { type Batches, BatchRefused, type BatchStatus, type ResultQuery } from './batches.ts';
import { endOpenLines } from './cancel.ts';
import type { ExplainReader } from './explain.ts';
import { markTold, type NoticeTools, untoldNotices } from './notices.ts';
import type { Batch, BatchStore, FinalLine, ResultCursor } from './batch-store.ts';
import type { HealthBook } from './health-book.ts';
import type { Routing } from './ports.ts';
import type { ProcessRegistry } from './process-registry.ts';
import { isOutOfMoney, linesDone, type Progress, type ProgressReader } from './progress.ts';
import { requirePool, takeIn, type TakeInTools } from './take-in.ts';

/** What working on the record needs. */
export interface RecordBatchesTools extends Omit<TakeInTools, 'routing'>, Omit<NoticeTools, 'store'> {
  readonly health: HealthBook;
  readonly progress: ProgressReader;
  readonly explain: Pick<ExplainReader, 'laneTotals'>;
  readonly processes: ProcessRegistry;
  /** What names stand for now. */
  readonly routing: () => Promise<Routing>;
  /** How long `cancel` may take to end lines before it answers; what is left is housekeeping's. */
  readonly cancelPatienceMs: number;
  /** Cleans up after dead processes. */
  readonly sweep: () => Promise<unknown>;
}

/** How many results are read at a time. */
const PAGE = 50;
/** A process is dead for certain when its connection has been gone for three seconds. */
const [MOST_SWEEPS, SWEEP_AGAIN_MS] = [5, 1_000];
/** How many names are looked through for the one that was meant. */
const NAMES = 1_000;

/** Batches on the record. */
export const recordBatches = (tools: RecordBatchesTools): Batches => {
  const { store, health, progress } = tools;
  const find = (ref: string): Promise<Batch> => findBatch(store, ref);
  return {
    async submit(submission, input, tell, signal) {
      const routing = await tools.routing();
      requireSomeLane(routing);
      const taken = await takeIn({ ...tools, routing }, submission, input, { tell, signal });
      return { ...taken, notices: await untoldNotices(tools, routing, taken.batch) };
    },
    list: (page) => store.list(page),
    status: async (ref) => await statusOf(tools, await find(ref)),
    async *results(ref, query) {
      yield* resultsOf(store, (await find(ref)).id, query);
    },
    async cancel(ref) {
      const batch = await find(ref);
      if (batch.state !== 'cancelling') {
        requireInProgress(batch, 'cancelled');
        await store.startCancelling(batch.id);
      }
      await endOpenLines(store, batch.id, AbortSignal.timeout(tools.cancelPatienceMs));
      return await outliveTheDead(tools, await again(store, batch));
    },
    pause: async (ref) => await setPaused(store, await find(ref), true),
    resume: async (ref) => await setPaused(store, await find(ref), false),
    async retry(ref, { pool }) {
      const batch = await find(ref);
      const routing = await tools.routing();
      requireSomeLane(routing);
      if (pool !== null) requirePool(routing, pool);
      if (pool !== null) requireServing(batch, routing, pool);
      const lines = await store.retry(batch.id, pool, routing);
      if (lines === 0) throw nothingToRetry(batch);
      const retried = await again(store, batch);
      return { batch: retried, lines, notices: await untoldNotices(tools, routing, retried) };
    },
    markTold: async (notices) => await markTold(tools, await tools.routing(), notices),
    laneTotals: async (ref) => await tools.explain.laneTotals((await find(ref)).id),
    lanes: async () => await progress.lanes(await tools.routing()),
    async pauseLane(laneId) {
      requireLane(await tools.routing(), laneId);
      await health.pause(laneId);
    },
    async resumeLane(laneId) {
      requireLane(await tools.routing(), laneId);
      await health.resume(laneId);
    },
  };
};

/** What names a batch by its id and nothing else: another batch may have that number for a name. */
const BY_ID = /^id:(\d{1,15})$/u;

/**
 * The batch of a name (the latest of that name), else of an id; `id:7` is an id whatever the names are.
 *
 * @throws BatchRefused with the nearest names.
 */
export const findBatch = async (
  store: Pick<BatchStore, 'find' | 'findByName' | 'list'>,
  ref: string,
): Promise<Batch> => {
  const id = BY_ID.exec(ref)?.[1];
  // No name holds a NUL, and PostgreSQL would not even look for one.
  const byName = id !== undefined || ref.includes('\0') ? null : await store.findByName(ref);
  if (byName !== null) return byName;
  const byId = /^\d{1,15}$/u.test(id ?? ref) ? await store.find(Number(id ?? ref)) : null;
  if (byId !== null) return byId;
  const known = (await store.list({ atMost: NAMES, beforeId: null })).map(({ name }) => name);
  const hint =
    known.length === 0
      ? 'The record holds no batch: is this the data directory, or the service, that it was submitted to?'
      : didYouMean(nearestNames(ref, known), known.slice(0, 5));
  throw new BatchRefused('not-found', `Expected a batch's name or id, got ${JSON.stringify(ref)}. ${hint}`);
};

const didYouMean = (near: readonly string[], latest: readonly string[]): string =>
  near.length > 0 ? `Did you mean ${near.join(' or ')}?` : `The latest are ${latest.join(', ')}.`;

const again = async (store: BatchStore, { id, name }: Batch): Promise<Batch> => {
  const batch = await store.find(id);
  if (batch === null) throw new BatchRefused('not-found', `The batch "${name}" was removed meanwhile.`);
  return batch;
};

/** What is done without one waits for lanes that nobody may ever add to it. */
const requireSomeLane = ({ providers }: Routing): void => {
  if (providers.length > 0) return;
  throw new BatchRefused(
    'unready',
    'Expected at least one lane, got none: no worker is at work, and no provider is on here. Start a worker (`nightshift up --role worker`) that has keys.',
  );
};

/** Who died with calls under way holds their lines until the dead are looked for; where nobody is at work, that is now. */
const outliveTheDead = async (tools: RecordBatchesTools, cancelled: Batch): Promise<Batch> => {
  const { store, processes, clock } = tools;
  let batch = cancelled;
  for (let sweeps = 0; batch.state === 'cancelling' && sweeps < MOST_SWEEPS; sweeps += 1) {
    if ((await processes.processes()).some(({ roles }) => roles.includes('dispatcher'))) return batch;
    if (sweeps > 0) await clock.sleepUntil(clock.nowMs() + SWEEP_AGAIN_MS, new AbortController().signal);
    await tools.sweep();
    await endOpenLines(store, batch.id, AbortSignal.timeout(tools.cancelPatienceMs));
    batch = await again(store, batch);
  }
  return batch;
};

const requireInProgress = (batch: Batch, wanted: string): void => {
  if (batch.state === 'in_progress') return;
  throw new BatchRefused(
    'conflict',
    `Expected the batch "${batch.name}" to be at work so that it can be ${wanted}, but it is ${batch.state}.`,
  );
};

const setPaused = async (store: BatchStore, batch: Batch, isPaused: boolean): Promise<Batch> => {
  requireInProgress(batch, isPaused ? 'paused' : 'resumed');
  await store.setPaused(batch.id, isPaused);
  return await again(store, batch);
};

const nothingToRetry = (batch: Batch): BatchRefused =>
  batch.state === 'cancelling' || batch.state === 'expiring'
    ? new BatchRefused(
        'conflict',
        `The batch "${batch.name}" is just being ${batch.state === 'cancelling' ? 'cancelled' : 'ended at its deadline'}; retry it when that is over.`,
      )
    : new BatchRefused(
        'conflict',
        `Expected the batch "${batch.name}" to have failed lines, got none (${linesDone(batch)} of ${batch.total} lines done, ${batch.bad} of them bad: those must be corrected in the input).`,
      );

const requireLane = (routing: Routing, laneId: string): void => {
  if (routing.lane(laneId) !== undefined) return;
  const known = routing.providers.flatMap((provider) => provider.lanes.map((lane) => lane.id));
  throw new BatchRefused(
    'not-found',
    `Expected a lane, got ${JSON.stringify(laneId)}. ${didYouMean(nearestNames(laneId, known), known.slice(0, 5))}`,
  );
};

const statusOf = async (
  { store, progress, processes, routing }: RecordBatchesTools,
  { id, name }: Batch,
): Promise<BatchStatus> => {
  const names = await routing();
  const [now, poolNames, live] = await Promise.all([
    progress.read(id, names),
    store.poolNamesOf(id),
    processes.processes(),
  ]);
  if (now === null) throw new BatchRefused('not-found', `The batch "${name}" was removed meanwhile.`);
  const laneIds = lanesUnder(now.batch, names, poolNames).map((lane) => lane.id);
  return { progress: now, laneIds, warnings: [...idleWarnings(now, laneIds), ...disagreements(live)] };
};

const idleWarnings = ({ batch, lanes }: Progress, laneIds: readonly string[]): readonly string[] => {
  if (batch.state !== 'in_progress' || batch.isPaused || linesDone(batch) >= batch.total) return [];
  const own = lanes.filter(({ laneId }) => laneIds.includes(laneId));
  const paused = own.filter(({ isPaused }) => isPaused).map(({ laneId }) => laneId);
  return [
    ...(own.every(({ workers }) => workers === 0)
      ? ['No live worker serves any lane of this batch: start one with `nightshift up`.']
      : []),
    ...(isOutOfMoney(batch)
      ? [
          'What is left of the budget covers no further call on a paid lane: submit the same again with a larger --max-cost, or let free lanes go on.',
        ]
      : []),
    ...(paused.length > 0
      ? [`Paused lanes: ${paused.join(', ')}. \`nightshift resume --lane LANE\` resumes one.`]
      : []),
  ];
};

async function* resultsOf(
  store: BatchStore,
  batchId: number,
  { order, only }: ResultQuery,
): AsyncGenerator<readonly FinalLine[]> {
  const isAsked = ({ succeeded }: FinalLine): boolean =>
    only === 'all' || (only === 'succeeded') === succeeded;
  const pages =
    order === 'input' ? store.finalLines(batchId) : byCompletion(store, batchId, only !== 'succeeded');
  for await (const page of pages) yield page.filter(isAsked);
}

/** Bad lines were final before all others. */
async function* byCompletion(
  store: BatchStore,
  batchId: number,
  withBad: boolean,
): AsyncGenerator<readonly FinalLine[]> {
  if (withBad) yield* store.badLines(batchId);
  let cursor: ResultCursor = null;
  for (;;) {
    const page = await store.resultsSince(batchId, cursor, PAGE);
    if (page.lines.length === 0) return;
    yield page.lines;
    cursor = page.cursor;
  }
}
