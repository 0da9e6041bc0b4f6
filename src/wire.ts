/** The one place where things are joined: from a configuration to everything that runs on it. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { openEmbeddedPostgres } from './adapters/embedded-postgres/open.ts';
import { openLogFile } from './adapters/files/log-file.ts';
import { readLines } from './adapters/files/read-lines.ts';
import type { BoardableQueues } from './adapters/bullmq/lane-queues.ts';
import { openPlanner } from './adapters/highs/open-planner.ts';
import { postgresBatchRoll } from './adapters/postgres/batch-roll.ts';
import { postgresBatchStore } from './adapters/postgres/batch-store.ts';
import { addressOf, connectRecord, type PostgresAddress } from './adapters/postgres/connect.ts';
import { postgresExplainReader } from './adapters/postgres/explain-reader.ts';
import { postgresForecastBook } from './adapters/postgres/forecast-book.ts';
import { postgresGrantLedger } from './adapters/postgres/grant-ledger.ts';
import { postgresGrantStories } from './adapters/postgres/grant-stories.ts';
import { postgresHealthBook } from './adapters/postgres/health-book.ts';
import { postgresNoticeBook } from './adapters/postgres/notice-book.ts';
import { type Installation, readInstallation } from './adapters/postgres/installation.ts';
import { migrateRecord } from './adapters/postgres/migrate.ts';
import { postgresProcessRegistry } from './adapters/postgres/process-registry.ts';
import { postgresProgressReader } from './adapters/postgres/progress-reader.ts';
import { openRecordClock } from './adapters/postgres/record-clock.ts';
import { postgresSituationReader } from './adapters/postgres/situation-reader.ts';
import { syncConfiguration } from './adapters/postgres/sync-configuration.ts';
import { openWakeSignal } from './adapters/postgres/wake-signal.ts';
import { realTime } from './adapters/timers/real-time.ts';
import { openTokenizer } from './adapters/tokens/open-tokenizer.ts';
import type { Batches } from './app/batches.ts';
import type { ExplainReader } from './app/explain.ts';
import type { BatchRoll, GrantStories } from './app/grant-stories.ts';
import type { BatchStore } from './app/batch-store.ts';
import type { HealthBook } from './app/health-book.ts';
import type { PlanningTools } from './app/keep-planning.ts';
import type { GrantLedger } from './app/ledger.ts';
import type { Clock, Log, ProviderClient, Routing, WakeSignal } from './app/ports.ts';
import type { ProcessRegistry } from './app/process-registry.ts';
import type { ProgressReader } from './app/progress.ts';
import { recordBatches } from './app/record-batches.ts';
import type { Config } from './config/config.ts';
import { CATALOG, catalogProvider } from './providers/catalog.ts';
import { routingOf } from './routing.ts';

/** Everything that use cases need, open and ready. Disposing closes it in the reverse order. */
export interface Nightshift extends AsyncDisposable {
  /** Of this process's own configuration. */
  readonly routing: Routing;
  /** The same with the lanes that live workers announce, whose keys may not be here. */
  readonly currentRouting: () => Promise<Routing>;
  readonly log: Log;
  readonly clock: Clock;
  readonly store: BatchStore;
  readonly ledger: GrantLedger;
  readonly health: HealthBook;
  readonly progress: ProgressReader;
  readonly explain: ExplainReader;
  readonly stories: GrantStories;
  readonly roll: BatchRoll;
  readonly processes: ProcessRegistry;
  readonly wake: WakeSignal;
  /** Its planner starts on first use. */
  readonly planning: PlanningTools;
  /** Writes this process's limits into the record again, as at its start. */
  readonly assertLimits: () => Promise<void>;
  /** Batches on this record. `isServed`: they belong to a service rather than to this process. */
  batches(options: BatchesOptions): Batches;
  /** Queues need tables and connections of their own, so they open on first use. Their library takes a while to load, too. */
  openQueues(): Promise<OpenQueues>;
  /** What makes calls; of a library that takes a while to load, and that few commands need. */
  openProvider(): Promise<ProviderClient>;
}

/** On whose behalf batches are worked with. */
export interface BatchesOptions {
  readonly isServed: boolean;
  /** See {@link recordBatches}. */
  readonly cancelPatienceMs: number;
}

/** The queues of this home. */
export interface OpenQueues extends BoardableQueues {
  /** What is wrong with where they are kept; one sentence each. */
  readonly warnings: readonly string[];
  /** Resolves if their store answers. */
  ping(): Promise<void>;
}

/** How to open it. */
export interface OpenOptions {
  /** Told in a sentence when something takes long. */
  readonly onWait?: (message: string) => void;
  /** The embedded database is gone and nothing can go on. */
  readonly onLost?: (error: Error) => void;
  /** Nothing but a look: while others are at work, the limits in force stay as they are. Default: no. */
  readonly isOnlooker?: boolean;
  /** Where log entries go; a file in the data directory unless said. */
  readonly log?: Log;
}

/** A service keeps its tokenizer this long for the next batch. */
const TOKENIZER_LINGERS_MS = 30_000;

/** The log's name in the data directory. */
export const LOG_FILE = 'nightshift.log';

/** Opens the home of a configuration, starts its PostgreSQL where it is embedded, and brings the record up to date. */
export const openNightshift = async (config: Config, options: OpenOptions = {}): Promise<Nightshift> => {
  await using stack = new AsyncDisposableStack();
  const address = await openAddress(config, options, stack);
  const log = options.log ?? stack.use(openLogFile(join(config.dataDirectory, LOG_FILE)));
  const onError = (error: Error): void => log.warn({ err: error }, 'connection.errored');
  if (config.home === 'embedded') await migrateRecord(address);
  else await migrateServer(address);

  const pool = connectRecord(address, onError);
  stack.defer(() => pool.end());
  const routing = routingOf(config);
  const installation = await readInstallation(pool);
  const fingerprints = fingerprintsOf(config, installation.keySalt);
  const processes = postgresProcessRegistry(
    address,
    pool,
    onError,
    (providerId) => fingerprints.get(providerId) ?? null,
  );
  const mayStay = options.isOnlooker === true && (await processes.processes()).length > 0;
  if (!mayStay) await syncConfiguration(pool, routing, fingerprints);

  const clock = stack.use(await openRecordClock(pool));
  const wake = stack.use(await openWakeSignal(address, onError));
  const store = postgresBatchStore(pool);
  const ledger = postgresGrantLedger(pool);
  const health = postgresHealthBook(pool, (scope) => fingerprints.get(scope) ?? null);
  const forecasts = postgresForecastBook(pool);
  const progress = postgresProgressReader(pool, store, health, forecasts);
  const planner = stack.use(openPlanner());
  const explain = postgresExplainReader(pool);
  const currentRouting = currentRoutingOf(config, routing, processes);
  const opened = stack.move();
  return {
    routing,
    currentRouting,
    log,
    clock,
    store,
    health,
    wake,
    processes,
    progress,
    ledger,
    explain,
    planning: {
      reader: postgresSituationReader(pool),
      planner,
      forecasts,
      payments: { allow: ({ batchId, requests }, term) => store.allowPaid(batchId, requests, term) },
      realTime,
    },
    assertLimits: () => syncConfiguration(pool, routing, fingerprints),
    stories: postgresGrantStories(pool),
    roll: postgresBatchRoll(pool),
    batches: (batchesOptions) =>
      recordBatches({
        ...batchesOptions,
        store,
        health,
        progress,
        explain,
        processes,
        clock,
        readLines,
        noticeBook: postgresNoticeBook(pool),
        factsOf: catalogProvider,
        knownNames: knownNamesBeside(config),
        tokenizer: opened.use(
          openTokenizer({ lingerMs: batchesOptions.isServed ? TOKENIZER_LINGERS_MS : 0 }),
        ),
        routing: currentRouting,
        sweep: () => ledger.sweep(),
        sha256: (text) => createHash('sha256').update(text).digest('hex'),
      }),
    openQueues: async () =>
      await openQueues({ config, address, installation, log, onError, rate: clock.rate() }, opened),
    openProvider: async () => {
      const { openProviderClient } = await import('./adapters/openai/provider-client.ts');
      return openProviderClient(config.providers, (providerId) => config.keys.keyOf(providerId));
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
};

const openAddress = async (
  config: Config,
  options: OpenOptions,
  stack: AsyncDisposableStack,
): Promise<PostgresAddress> => {
  const servers = config.keys.servers();
  if (servers !== null) return addressOf(servers.databaseUrl);
  const home = stack.use(await openEmbeddedPostgres({ dataDirectory: config.dataDirectory, ...options }));
  return home.connection;
};

/** A server of the user's own may be anywhere, or not ready for us: the message says which one, and not its password. */
const migrateServer = async (address: PostgresAddress): Promise<void> => {
  try {
    await migrateRecord(address);
  } catch (error) {
    const { host = 'localhost', port = 5432, database = '', user = '' } = address;
    const message =
      error instanceof Error ? error.message || String(Reflect.get(error, 'code')) : String(error);
    throw new Error(
      `Expected to open the database "${database}" on ${host}:${port} as "${user}" (DATABASE_URL), got: ${message}. ` +
        'Start the server, correct the variable, or give this user the right to create a schema there.',
      { cause: error },
    );
  }
};

interface QueueHome {
  readonly config: Config;
  readonly address: PostgresAddress;
  readonly installation: Installation;
  readonly log: Log;
  readonly onError: (error: Error) => void;
  /** Of the record's clock. */
  readonly rate: number;
}

const openQueues = async (
  { config, address, installation, log, onError, rate }: QueueHome,
  stack: AsyncDisposableStack,
): Promise<OpenQueues> => {
  const servers = config.keys.servers();
  const { openLaneQueues } = await import('./adapters/bullmq/lane-queues.ts');
  if (servers === null) {
    const { openPostgresBackend } = await import('./adapters/bullmq/postgres-backend.ts');
    const backend = stack.use(await openPostgresBackend(address, onError));
    const queues = stack.use(openLaneQueues(backend, log, rate));
    return { ...queues, warnings: [], ping: async () => {} };
  }
  const { openRedisBackend } = await import('./adapters/bullmq/redis-backend.ts');
  const prefix = `nightshift-${installation.id}`;
  const backend = stack.use(await openRedisBackend({ url: servers.redisUrl, prefix }, onError));
  const queues = stack.use(openLaneQueues(backend, log, rate));
  return { ...queues, warnings: backend.warnings, ping: () => backend.ping() };
};

/** Resolved again only when workers announce other providers than before. */
const currentRoutingOf = (
  config: Config,
  own: Routing,
  processes: ProcessRegistry,
): (() => Promise<Routing>) => {
  let known = '';
  let routing = own;
  return async () => {
    const announced = (await processes.servedLanes()).map(({ provider }) => provider.id);
    const missing = new Set(announced.filter((id) => own.provider(id) === undefined));
    const key = [...missing].toSorted().join(' ');
    if (key === known) return routing;
    known = key;
    routing = missing.size === 0 ? own : routingOf(config.assuming(missing));
    return routing;
  };
};

/** What a policy may name beside what is on: the catalog's providers and lanes, and providers that are switched off. */
export const knownNamesBeside = ({ unavailable }: Config): readonly string[] => [
  ...CATALOG.flatMap(({ id, models }) => [id, ...models.map((model) => `${id}/${model.id}`)]),
  ...unavailable.map(({ providerId }) => providerId),
];

const fingerprintsOf = (config: Config, salt: string): ReadonlyMap<string, string> =>
  new Map(
    config.providers.flatMap((provider) => {
      const fingerprint = config.keys.fingerprintOf(provider.id, `${salt} ${provider.baseUrl}`);
      return fingerprint === undefined ? [] : [[provider.id, fingerprint]];
    }),
  );
