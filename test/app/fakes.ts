/** Small stand-ins for the ports of src/app/ports.ts, and makers of the data that goes through them. */
import { ANY_TERMS } from '../../src/core/batch-terms.ts';
import type { Lane, Pool, Provider } from '../../src/core/model.ts';
import type { Batch, BatchStore } from '../../src/app/batch-store.ts';
import type { BegunCall, GrantLedger } from '../../src/app/ledger.ts';
import type { Clock, LaneQueues, Log, Routing } from '../../src/app/ports.ts';

/** The instant at which the tests of src/app begin, in ms since 1970: 2026-11-20T07:00:00Z. */
export const NOW_MS = 1_795_158_000_000;

/** A lane without limits: 8,192 tokens together, 4,096 of them output. */
export const aLane = (id: string, differences: Partial<Lane> = {}): Lane => {
  const [providerId = ''] = id.split('/');
  return {
    id,
    providerId,
    model: id.slice(providerId.length + 1),
    contextTokens: 8_192,
    maxOutputTokens: 4_096,
    concurrency: 4,
    timeoutMs: 60_000,
    limits: [],
    ...differences,
  };
};

/** The provider of these lanes, without limits of its own. */
export const aProvider = (lanes: readonly Lane[], differences: Partial<Provider> = {}): Provider => ({
  id: lanes[0]?.providerId ?? 'none',
  baseUrl: 'http://127.0.0.1:1/v1',
  tier: 'free',
  trainsOnData: null,
  dialect: 'openai',
  concurrency: null,
  limits: [],
  refusesParameters: [],
  lanes,
  ...differences,
});

/** Looks up in these providers; the pool `all` has all lanes unless pools are given. */
export const routingFor = (providers: readonly Provider[], pools?: readonly Pool[]): Routing => {
  const lanes = providers.flatMap((provider) => provider.lanes);
  const known = pools ?? [{ name: 'all', laneIds: lanes.map((lane) => lane.id) }];
  return {
    providers,
    pools: known,
    prices: lanes.flatMap(({ id, price }) => (price === undefined ? [] : [{ name: id, price }])),
    resolveModel: (name) => {
      const laneIds = known.find((pool) => pool.name === name)?.laneIds;
      return laneIds === undefined ? { kind: 'unknown', nearest: [] } : { kind: 'lanes', laneIds };
    },
    lane: (laneId) => lanes.find((lane) => lane.id === laneId),
    provider: (providerId) => providers.find((provider) => provider.id === providerId),
    lanesOf: (name) => {
      const laneIds = known.find((pool) => pool.name === name)?.laneIds ?? [];
      return lanes.filter((lane) => laneIds.includes(lane.id));
    },
  };
};

/** A call of a batch line on `alpha/small` whose cap is ours. */
export const aCall = (differences: Partial<BegunCall> = {}): BegunCall => ({
  grantId: 7,
  requestId: 42,
  laneId: 'alpha/small',
  begunAtMs: NOW_MS - 1_500,
  promptTokens: 200,
  outputTokens: 320,
  mostOutputTokens: 320,
  outputIsAsked: false,
  customId: 'line-1',
  line: batchLine({ messages: [{ role: 'user', content: 'Say yes.' }] }),
  task: null,
  tries: 0,
  excluded: [],
  avoided: [],
  droppedParameters: [],
  poolLaneIds: ['alpha/small'],
  trail: [],
  patienceMs: null,
  isProbe: false,
  isTrial: false,
  ...differences,
});

/** An OpenAI batch line with this body. */
export const batchLine = (body: object, customId = 'line-1'): string =>
  JSON.stringify({ custom_id: customId, method: 'POST', url: '/v1/chat/completions', body });

/** One entry of a {@link RecordingLog}. */
export interface LogEntry {
  readonly level: 'info' | 'warn' | 'error';
  readonly event: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A log that remembers its entries. */
export interface RecordingLog extends Log {
  readonly entries: readonly LogEntry[];
}

/** A {@link RecordingLog} without entries. */
export const recordingLog = (): RecordingLog => {
  const entries: LogEntry[] = [];
  const write = (level: LogEntry['level']) => (fields: LogEntry['fields'], event: string) => {
    entries.push({ level, event, fields });
  };
  return { entries, info: write('info'), warn: write('warn'), error: write('error') };
};

/** A clock that stands until it is moved. */
export class FakeClock implements Clock {
  #nowMs = NOW_MS;
  readonly #sleepers = new Set<{ readonly atMs: number; readonly wake: () => void }>();
  readonly #onSleep: ((atMs: number) => void)[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  sleepUntil(atMs: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted || atMs <= this.#nowMs) return Promise.resolve();
    return new Promise((resolve) => {
      const sleeper = {
        atMs,
        wake: () => {
          this.#sleepers.delete(sleeper);
          resolve();
        },
      };
      this.#sleepers.add(sleeper);
      signal.addEventListener('abort', sleeper.wake, { once: true });
      for (const tell of this.#onSleep.splice(0)) tell(atMs);
    });
  }

  /** Moves on, and wakes those whose instant has come. */
  advanceTo(atMs: number): void {
    this.#nowMs = atMs;
    for (const sleeper of this.#sleepers) if (sleeper.atMs <= atMs) sleeper.wake();
  }

  /** Until when somebody sleeps, as soon as somebody does. */
  asleepUntil(): Promise<number> {
    const [sleeper] = this.#sleepers;
    if (sleeper !== undefined) return Promise.resolve(sleeper.atMs);
    return new Promise((resolve) => {
      this.#onSleep.push(resolve);
    });
  }

  /** Whether somebody sleeps. */
  get hasSleeper(): boolean {
    return this.#sleepers.size > 0;
  }
}

const notExpected = (): never => {
  throw new Error('Expected this method of the port not to be asked, but it was.');
};

/** A store of which only the given methods may be asked. */
export const aStore = (methods: Partial<BatchStore>): BatchStore => ({
  findByIdentity: notExpected,
  findUnfinishedByOutput: notExpected,
  find: notExpected,
  findByName: notExpected,
  ingest: notExpected,
  adoptConfiguration: notExpected,
  addLanes: notExpected,
  servedBatchIds: notExpected,
  list: notExpected,
  poolNamesOf: notExpected,
  remove: notExpected,
  setOutput: notExpected,
  setPaused: notExpected,
  allowPaid: notExpected,
  setMaxCost: notExpected,
  startCancelling: notExpected,
  setTerms: notExpected,
  knowsTimeZone: async () => true,
  endingIds: notExpected,
  endOpen: notExpected,
  retry: notExpected,
  resultsSince: notExpected,
  finalLines: notExpected,
  badLines: notExpected,
  ...methods,
});

/** A ledger of which only the given methods may be asked. */
export const aLedger = (methods: Partial<GrantLedger>): GrantLedger => ({
  grant: notExpected,
  begin: notExpected,
  pastOf: async () => null,
  finish: notExpected,
  sweep: notExpected,
  superseded: async () => [],
  forgetUnusedQueues: notExpected,
  ...methods,
});

/** Queues of which only the given methods may be asked. */
export const someQueues = (methods: Partial<LaneQueues>): LaneQueues => ({
  add: notExpected,
  addAgain: notExpected,
  consume: notExpected,
  remove: notExpected,
  ...methods,
});

/** The items one after the other, as a port yields them. */
export async function* eachOf<Item>(items: Iterable<Item>): AsyncGenerator<Item> {
  yield* items;
}

/** A batch of four documents in progress, whose files nobody writes. */
export const aBatch = (differences: Partial<Batch> = {}): Batch => ({
  id: 1,
  identity: 'identity',
  name: 'docs',
  state: 'in_progress',
  isPaused: false,
  policy: null,
  maxCostNanoDollars: null,
  spentNanoDollars: 0,
  heldNanoDollars: 0,
  refusedNanoDollars: null,
  terms: ANY_TERMS,
  deadlineText: null,
  outputPath: null,
  errorPath: null,
  createdAtMs: NOW_MS,
  completedAtMs: null,
  total: 4,
  bad: 0,
  succeeded: 0,
  failed: 0,
  cancelled: 0,
  expired: 0,
  promptTokens: 0,
  completionTokens: 0,
  ...differences,
});
