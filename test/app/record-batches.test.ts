/** What {@link recordBatches} says to people; what it does is tried on a real record. */
import { describe, expect, it } from 'vitest';
import { readLines } from '../../src/adapters/files/read-lines.ts';
import type { Batch, BatchStore } from '../../src/app/batch-store.ts';
import type { LiveProcess } from '../../src/app/process-registry.ts';
import type { LaneProgress } from '../../src/app/progress.ts';
import { recordBatches } from '../../src/app/record-batches.ts';
import { documents, inputOf, submissionTo } from '../contracts/batches-under-test.ts';
import { fakeTokenizer } from './fake-tokenizer.ts';
import { aBatch, aLane, aProvider, aStore, FakeClock, NOW_MS, routingFor } from './fakes.ts';

const ROUTING = routingFor([aProvider([aLane('alpha/small'), aLane('alpha/large')])]);

const laneProgress = (laneId: string, changes: Partial<LaneProgress> = {}): LaneProgress => ({
  laneId,
  providerId: 'alpha',
  callsUnderWay: 0,
  calls: 0,
  succeeded: 0,
  rejected: 0,
  promptTokens: 0,
  completionTokens: 0,
  limits: [],
  closing: null,
  isPaused: false,
  workers: 1,
  ...changes,
});

interface Circumstances {
  readonly batches?: readonly Batch[];
  readonly lanes?: readonly LaneProgress[];
  readonly live?: readonly LiveProcess[];
  readonly routing?: typeof ROUTING;
  readonly store?: Partial<BatchStore>;
  /** Providers that nobody was told of. */
  readonly untold?: readonly string[];
  /** Where it is put down who was told of. */
  readonly told?: string[];
}

const notAsked = async (): Promise<never> => {
  throw new Error('Expected this not to be asked, but it was.');
};

const setUp = ({
  batches = [],
  lanes = [],
  live = [],
  routing = ROUTING,
  store = {},
  untold = [],
  told = [],
}: Circumstances = {}) =>
  recordBatches({
    store: aStore({
      find: async (id) => batches.find((batch) => batch.id === id) ?? null,
      findByName: async (name) => batches.findLast((batch) => batch.name === name) ?? null,
      list: async () => batches.toReversed(),
      poolNamesOf: async () => ['all'],
      ...store,
    }),
    health: {
      pause: notAsked,
      resume: notAsked,
      close: notAsked,
      sick: notAsked,
      gone: notAsked,
      closings: async () => [],
    },
    progress: {
      read: async (id) => {
        const batch = batches.find((candidate) => candidate.id === id);
        return batch === undefined
          ? null
          : {
              atMs: NOW_MS,
              batch,
              parked: 0,
              nextDueAtMs: null,
              underWay: 0,
              forecast: null,
              lanes,
              savings: null,
            };
      },
      lanes: async () => lanes,
    },
    explain: { laneTotals: async () => [] },
    processes: {
      join: notAsked,
      processes: async () => live,
      servedLanes: async () => [],
      wantedLaneIds: async () => new Set(),
    },
    routing: async () => routing,
    clock: new FakeClock(),
    readLines,
    tokenizer: fakeTokenizer,
    sha256: (text) => text,
    noticeBook: { untold: async () => new Set(untold), markTold: async (ids) => void told.push(...ids) },
    factsOf: () => undefined,
    knownNames: [],
    isServed: true,
    cancelPatienceMs: 1_000,
    sweep: notAsked,
  });

/** The refusal that a call ends with. */
const refusalOf = async (asked: Promise<unknown>): Promise<unknown> =>
  await asked.then(
    () => null,
    (reason: unknown) => reason,
  );

/** What a batch with these lanes warns of. */
const warningsWith = async (lanes: readonly LaneProgress[], batch: Partial<Batch> = {}) =>
  (await setUp({ batches: [aBatch(batch)], lanes }).status('docs')).warnings;

/** A live process that has this idea of a limit. */
const aProcess = (pid: number, amount: number): LiveProcess => ({
  id: pid,
  host: 'here',
  pid,
  roles: ['worker'],
  startedAtMs: pid,
  configHash: '',
  limits: [{ scope: 'alpha', metric: 'requests', window: 'per day of UTC', amount }],
  laneIds: [],
});

/** What a batch says in which nothing can be retried. */
const messageFor = async (changes: Partial<Batch>) =>
  await refusalOf(
    setUp({ batches: [aBatch(changes)], store: { retry: async () => 0 } }).retry('docs', { pool: null }),
  );

describe('batches on the record', () => {
  it('take nothing in while nobody knows a lane, and say what to start', async () => {
    const batches = setUp({ routing: routingFor([]) });
    const submitted = batches.submit(
      submissionTo('all'),
      inputOf(documents('a')),
      () => {},
      new AbortController().signal,
    );
    expect(await refusalOf(submitted)).toMatchObject({
      kind: 'unready',
      message: expect.stringContaining('`nightshift up --role worker`'),
    });
  });

  it('are found by their name before their id', async () => {
    const batches = setUp({ batches: [aBatch({ id: 7, name: 'docs' }), aBatch({ id: 8, name: '7' })] });
    expect((await batches.status('7')).progress.batch.id).toBe(8);
    expect((await batches.status('8')).progress.batch.id).toBe(8);
    expect((await batches.status('docs')).progress.batch.id).toBe(7);
  });

  it.each([
    ['the nearest names', 'dosc', [aBatch({ name: 'docs' })], /Did you mean docs\?/u],
    [
      'the latest',
      'zzzzzz',
      [aBatch({ name: 'docs' }), aBatch({ name: 'mail' })],
      /The latest are mail, docs/u,
    ],
    ['that there is none', 'docs', [], /The record holds no batch/u],
  ])('that are not found are told with %s', async (_, ref, known, message) => {
    expect(await refusalOf(setUp({ batches: known }).status(ref))).toMatchObject({
      kind: 'not-found',
      message: expect.stringMatching(message),
    });
  });

  it('warn once what is left of the budget covers no further call', async () => {
    const working = laneProgress('alpha/small');
    const money = { maxCostNanoDollars: 1_000, spentNanoDollars: 600, heldNanoDollars: 100 };
    expect(await warningsWith([working], { ...money, refusedNanoDollars: 301 })).toEqual([
      expect.stringContaining('a larger --max-cost'),
    ]);
    expect(await warningsWith([working], { ...money, refusedNanoDollars: 300 })).toEqual([]);
    expect(await warningsWith([working], money)).toEqual([]);
  });

  it('warn where no live worker serves any of their lanes', async () => {
    const idle = laneProgress('alpha/small', { workers: 0 });
    expect(await warningsWith([idle])).toEqual([expect.stringContaining('No live worker')]);
    expect(await warningsWith([idle, laneProgress('beta/small')])).toHaveLength(1);
    expect(await warningsWith([idle, laneProgress('alpha/large')])).toEqual([]);
    expect(await warningsWith([idle], { isPaused: true })).toEqual([]);
    expect(await warningsWith([idle], { state: 'cancelled' })).toEqual([]);
  });

  it('warn of their paused lanes, and of limits that processes disagree about', async () => {
    const paused = laneProgress('alpha/large', { isPaused: true });
    const { warnings } = await setUp({
      batches: [aBatch()],
      lanes: [laneProgress('alpha/small'), paused],
      live: [aProcess(1, 10), aProcess(2, 20)],
    }).status('docs');
    expect(warnings).toEqual([
      expect.stringMatching(/Paused lanes: alpha\/large\. `nightshift resume --lane LANE`/u),
      expect.stringContaining('disagree about a limit of alpha'),
    ]);
  });

  it('retry nothing where there is no lane to do it on', async () => {
    const batches = setUp({ batches: [aBatch()], routing: routingFor([]), store: { retry: notAsked } });
    await expect(batches.retry('docs', { pool: null })).rejects.toMatchObject({ kind: 'unready' });
  });

  it('say why there is nothing to retry', async () => {
    expect(await messageFor({ state: 'cancelling' })).toMatchObject({
      kind: 'conflict',
      message: expect.stringContaining('just being cancelled'),
    });
    expect(await messageFor({ succeeded: 1, bad: 2 })).toMatchObject({
      kind: 'conflict',
      message: expect.stringContaining('(3 of 4 lines done, 2 of them bad'),
    });
  });

  it('name the lanes that their policy leaves', async () => {
    const policy = { forbidsTraining: false, regions: [], only: [], except: ['alpha/large'] };
    expect((await setUp({ batches: [aBatch({ policy })] }).status('docs')).laneIds).toEqual(['alpha/small']);
    expect((await setUp({ batches: [aBatch()] }).status('docs')).laneIds).toEqual([
      'alpha/small',
      'alpha/large',
    ]);
  });

  it('are not retried on a pool of which their policy leaves nothing', async () => {
    const policy = { forbidsTraining: true, regions: [], only: [], except: [] };
    const retried = setUp({ batches: [aBatch({ policy })], store: { retry: notAsked } }).retry('docs', {
      pool: 'all',
    });
    expect(await refusalOf(retried)).toMatchObject({
      kind: 'invalid',
      message: expect.stringContaining('`--no-training`'),
    });
  });

  it('tell of a provider when they are retried, and put down whom they told of', async () => {
    const told: string[] = [];
    const batches = setUp({ batches: [aBatch()], store: { retry: async () => 2 }, untold: ['alpha'], told });
    const { lines, notices } = await batches.retry('docs', { pool: null });
    expect([lines, notices]).toEqual([2, [expect.stringContaining('--except alpha')]]);
    expect(told).toEqual([]);
    await batches.markTold(notices);
    expect(told).toEqual(['alpha']);
  });

  it('name the lane that was meant', async () => {
    expect(await refusalOf(setUp().pauseLane('alpha/smal'))).toMatchObject({
      kind: 'not-found',
      message: expect.stringContaining('alpha/small'),
    });
  });
});
