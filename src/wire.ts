/** The one place where things are joined: from a configuration to everything that runs on it. */
import { join } from 'node:path';
import { openEmbeddedPostgres } from './adapters/embedded-postgres/open.ts';
import { openLogFile } from './adapters/files/log-file.ts';
import { openLaneQueues } from './adapters/bullmq/lane-queues.ts';
import { openPostgresBackend } from './adapters/bullmq/postgres-backend.ts';
import { openProviderClient } from './adapters/openai/provider-client.ts';
import { postgresBatchStore } from './adapters/postgres/batch-store.ts';
import { connectRecord } from './adapters/postgres/connect.ts';
import { postgresExplainReader } from './adapters/postgres/explain-reader.ts';
import { postgresGrantLedger } from './adapters/postgres/grant-ledger.ts';
import { postgresHealthBook } from './adapters/postgres/health-book.ts';
import { readKeySalt } from './adapters/postgres/key-salt.ts';
import { migrateRecord } from './adapters/postgres/migrate.ts';
import { postgresProgressReader } from './adapters/postgres/progress-reader.ts';
import { openRecordClock } from './adapters/postgres/record-clock.ts';
import { syncConfiguration } from './adapters/postgres/sync-configuration.ts';
import { openWakeSignal } from './adapters/postgres/wake-signal.ts';
import { postgresWorkerRegistry } from './adapters/postgres/worker-registry.ts';
import type {
  BatchStore,
  Clock,
  GrantLedger,
  HealthBook,
  LaneQueues,
  Log,
  ProviderClient,
  Routing,
  WakeSignal,
  WorkerRegistry,
} from './app/ports.ts';
import type { ExplainReader } from './app/explain.ts';
import type { ProgressReader } from './app/progress.ts';
import type { Config } from './config/config.ts';
import { routingOf } from './routing.ts';

/** Everything that use cases need, open and ready. Disposing closes it in the reverse order. */
export interface Nightshift extends AsyncDisposable {
  readonly routing: Routing;
  readonly log: Log;
  readonly clock: Clock;
  readonly store: BatchStore;
  readonly ledger: GrantLedger;
  readonly health: HealthBook;
  readonly progress: ProgressReader;
  readonly explain: ExplainReader;
  readonly workers: WorkerRegistry;
  readonly wake: WakeSignal;
  readonly provider: ProviderClient;
  /** Queues need BullMQ's tables and connections, so they open on first use. */
  openQueues(): Promise<LaneQueues & AsyncDisposable>;
}

/** How to open it. */
export interface OpenOptions {
  /** Told in a sentence when something takes long. */
  readonly onWait?: (message: string) => void;
  /** The database is gone and nothing can go on. */
  readonly onLost?: (error: Error) => void;
}

/** The log's name in the data directory. */
export const LOG_FILE = 'nightshift.log';

/** Opens the embedded home of a configuration: starts or adopts its PostgreSQL, brings the record up to date. */
export const openNightshift = async (config: Config, options: OpenOptions = {}): Promise<Nightshift> => {
  await using stack = new AsyncDisposableStack();
  const home = stack.use(await openEmbeddedPostgres({ dataDirectory: config.dataDirectory, ...options }));
  const log = stack.use(openLogFile(join(config.dataDirectory, LOG_FILE)));
  const onError = (error: Error): void => log.warn({ err: error }, 'connection.errored');
  const address = home.connection;
  await migrateRecord(address);

  const pool = connectRecord(address, onError);
  stack.defer(() => pool.end());
  const routing = routingOf(config);
  const fingerprints = fingerprintsOf(config, await readKeySalt(pool));
  await syncConfiguration(pool, routing, fingerprints);

  const clock = stack.use(await openRecordClock(pool));
  const wake = stack.use(await openWakeSignal(address, onError));
  const store = postgresBatchStore(pool, (name) => routing.lanesOf(name).map((lane) => lane.id));
  const health = postgresHealthBook(pool, (scope) => fingerprints.get(scope) ?? null);
  const opened = stack.move();
  return {
    routing,
    log,
    clock,
    store,
    health,
    wake,
    ledger: postgresGrantLedger(pool),
    progress: postgresProgressReader(pool, store, health, routing),
    explain: postgresExplainReader(pool),
    workers: postgresWorkerRegistry(address, onError),
    provider: openProviderClient(config.providers, (providerId) => config.keys.keyOf(providerId)),
    async openQueues() {
      const backend = opened.use(await openPostgresBackend(address, onError));
      return opened.use(openLaneQueues(backend, (lane) => routing.provider(lane.providerId), log));
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
};

const fingerprintsOf = (config: Config, salt: string): ReadonlyMap<string, string> =>
  new Map(
    config.providers.flatMap((provider) => {
      const fingerprint = config.keys.fingerprintOf(provider.id, `${salt} ${provider.baseUrl}`);
      return fingerprint === undefined ? [] : [[provider.id, fingerprint]];
    }),
  );
