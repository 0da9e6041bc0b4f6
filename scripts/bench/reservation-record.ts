/** A record to reserve on: lanes with four windows each, a worker with slots to spare, and a backlog that never ends. */
import type pg from 'pg';
import { connectRecord, addressOf } from '../../src/adapters/postgres/connect.ts';
import { migrateRecord } from '../../src/adapters/postgres/migrate.ts';
import { postgresProcessRegistry } from '../../src/adapters/postgres/process-registry.ts';
import { syncConfiguration } from '../../src/adapters/postgres/sync-configuration.ts';
import { announcementOf } from '../../src/app/announce.ts';
import { resolveConfig } from '../../src/config/resolve-config.ts';
import type { Lane } from '../../src/core/model.ts';
import { routingOf } from '../../src/routing.ts';

/** Grants that may be open at once on a lane: never what stops a reservation here. */
const SLOTS = 100_000;
/** So much that no window is ever full, as amounts of the night go; the same rows are locked and written all the same. */
const PLENTY = 1_000_000_000;
/** More than all processes hold at once, and enough that the search for the best fit is one in an index of some depth. */
const REQUESTS = 20_000;

/** A prepared record. Disposing leaves the worker's seat; the server is the caller's. */
export interface ReservationRecord extends AsyncDisposable {
  readonly lanes: readonly Lane[];
}

/** Prepares an empty database with so many lanes, each of a provider of its own; one pool holds them all. */
export const prepareRecord = async (url: string, laneCount: number): Promise<ReservationRecord> => {
  await using stack = new AsyncDisposableStack();
  const address = addressOf(url);
  await migrateRecord(address);
  const pool = connectRecord(address, (error) => console.error(error));
  stack.defer(() => pool.end());
  const config = resolveConfig({
    yaml: { name: 'bench.yaml', text: JSON.stringify({ providers: providersOf(laneCount) }) },
    environment: {},
    dataDirectory: '/nowhere',
  });
  const routing = routingOf(config);
  await syncConfiguration(pool, routing, new Map());
  const registry = postgresProcessRegistry(address, pool, () => undefined);
  const seat = await registry.join(
    announcementOf({ roles: ['dispatcher', 'worker'], routing, configHash: config.hash }),
  );
  stack.defer(() => seat.leave());
  const lanes = routing.providers.flatMap((provider) => provider.lanes);
  await addBacklog(
    pool,
    lanes.map(({ id }) => id),
  );
  const opened = stack.move();
  return { lanes, [Symbol.asyncDispose]: () => opened.disposeAsync() };
};

const providersOf = (count: number) =>
  Object.fromEntries(
    Array.from({ length: count }, (_, index) => [
      `bench-${index}`,
      { baseUrl: 'http://127.0.0.1:9/v1', tier: 'local', trainsOnData: false, models: { model: MODEL } },
    ]),
  );

/** The windows of a usual free tier: requests and tokens, a minute and a day. */
const MODEL = {
  contextTokens: 131_072,
  maxOutputTokens: 8_192,
  concurrency: SLOTS,
  limits: [
    { requests: PLENTY, tokens: PLENTY, per: '1m' },
    { requests: PLENTY, tokens: PLENTY, per: '1d', window: 'refill' },
  ],
};

/** Requests of 100 to 2,099 tokens and the answer. */
const addBacklog = async (pool: pg.Pool, laneIds: readonly string[]): Promise<void> => {
  await pool.query(
    `INSERT INTO batch (identity, name, created_at_ms, total) VALUES ('bench', 'bench', now_ms(), $1)`,
    [REQUESTS],
  );
  await pool.query(`INSERT INTO pool SELECT id, 'all', $1 FROM batch`, [laneIds]);
  await pool.query(
    `INSERT INTO request (batch_id, line_number, custom_id, line, route_id, prompt_tokens, output_tokens, state)
     SELECT b.id, n, 'line-' || n, '{}', route_id, 100 + n * 7919 % 2000, 320, 'pending'
     FROM batch b, generate_series(1, $1) AS n, intern_route(b.id, 'all', '{}') AS route_id`,
    [REQUESTS],
  );
};
