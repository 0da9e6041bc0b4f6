/** The record's quota, driven through its grant ledger in the words of the suite. */
import type pg from 'pg';
import { postgresGrantLedger } from '../../src/adapters/postgres/grant-ledger.ts';
import { syncConfiguration } from '../../src/adapters/postgres/sync-configuration.ts';
import { postgresProcessRegistry } from '../../src/adapters/postgres/process-registry.ts';
import type { FinishedCall } from '../../src/app/ledger.ts';
import type { Routing } from '../../src/app/ports.ts';
import type { Announcement, Seat } from '../../src/app/process-registry.ts';
import type { Lane, TokenEstimate } from '../../src/core/model.ts';
import type { QuotaScope, Settlement } from '../../src/core/quota/quota.ts';
import type { TestRecord } from '../postgres-fixture.ts';
import { type QuotaUnderTest, limitName } from './quota-under-test.ts';

/** Larger than any call of the suite. */
const UNBOUNDED_TOKENS = 1_000_000;
const SLOTS = 1_000;

/** A {@link QuotaUnderTest} on an empty record, with one worker. Dispose of it before the record goes. */
export const openRecordQuota = async (
  { pool, address }: TestRecord,
  laneIds: readonly string[],
): Promise<QuotaUnderTest & AsyncDisposable> => {
  const ledger = postgresGrantLedger(pool);
  const registry = postgresProcessRegistry(address, pool, () => undefined);
  const join = (): Promise<Seat> => registry.join(workerOn(laneIds, SLOTS));
  let seat = await join();
  let lanes = new Map<string, Lane>();
  let nowMs = 0;

  return {
    async reset(scopes, atMs) {
      nowMs = atMs;
      await pool.query(
        'DELETE FROM batch; DELETE FROM route; DELETE FROM pool; DELETE FROM quota_limit; DELETE FROM lane_total',
      );
      await stopClockAt(pool, atMs);
      const routing = routingOf(scopes, laneIds);
      lanes = new Map(laneIds.map((id) => [id, laneOf(scopes, id)]));
      await syncConfiguration(pool, routing, new Map());
      await pool.query(
        // More lines than the suite ever ends: the batch stays open.
        `INSERT INTO batch (identity, name, created_at_ms, total) VALUES ('quota', 'quota', now_ms(), 1e9)`,
      );
      await pool.query('INSERT INTO pool SELECT b.id, l, ARRAY[l] FROM batch b, unnest($1::text[]) AS l', [
        laneIds,
      ]);
    },
    async setClock(atMs) {
      if (atMs !== nowMs) await stopClockAt(pool, atMs);
      nowMs = atMs;
    },
    async stepClock(byMs) {
      nowMs += byMs;
      await stopClockAt(pool, nowMs);
      await pool.query('SELECT allow_for_step($1, steps) FROM clock', [byMs]);
      // Grants that have not begun are as old as before.
      await pool.query("UPDATE grants SET granted_at_ms = granted_at_ms + $1 WHERE state = 'granted'", [
        byMs,
      ]);
    },
    async reserve([laneId = ''], need) {
      const lane = lanes.get(laneId);
      if (lane === undefined) throw new Error(`Expected a lane of the suite, got ${laneId}.`);
      const requestId = await addRequest(pool, laneId, need);
      const granted = await ledger.grant({ lane, targetTokens: UNBOUNDED_TOKENS, wishes: null, atMost: 1 });
      const [grant] = granted.slices.flat();
      if (grant !== undefined) return { kind: 'granted', grant };
      await pool.query('DELETE FROM request WHERE id = $1', [requestId]);
      return { kind: 'refused', roomAtMs: granted.wakeAtMs };
    },
    async begin(grant) {
      const [call] = await ledger.begin([grant], seat.id);
      if (call === undefined) await retirePending(pool);
      return call?.begunAtMs ?? null;
    },
    async settle(grant, settlement, sentAtMs) {
      await ledger.finish([{ ...finished(grant, settlement), sentAtMs }]);
    },
    async crash() {
      await seat.leave();
      await ledger.sweep();
      await retirePending(pool);
      seat = await join();
    },
    async expire() {
      await ledger.sweep();
      await retirePending(pool);
    },
    inUse: () => inUse(pool),
    audit: () => audit(pool),
    async [Symbol.asyncDispose]() {
      await seat.leave();
    },
  };
};

/** Time stands still there: half a millisecond in, since now_ms() rounds down. */
export const stopClockAt = async (pool: pg.Pool, atMs: number): Promise<void> => {
  await pool.query(
    `UPDATE clock SET rate = 1e-9, origin_ms = $1::float8 + 0.5,
       real_origin_ms = extract(epoch FROM clock_timestamp()) * 1000`,
    [atMs],
  );
};

/** Throws if a limit's sum is not that of its uses, or a use belongs to nothing. */
export const audit = async (pool: pg.Pool): Promise<void> => {
  const { rows } = await pool.query<Readonly<Record<string, unknown>>>(
    `SELECT l.scope, l.metric, l.window_kind, l.used, l.amount, l.debt, coalesce(sum(u.amount), 0) AS uses
     FROM quota_limit l LEFT JOIN quota_use u ON u.limit_id = l.id
     GROUP BY l.id
     HAVING l.used <> coalesce(sum(u.amount), 0) OR l.used < 0 OR l.debt < 0 OR l.used + l.debt > l.amount + 1e-6`,
  );
  if (rows.length > 0) throw new Error(`Expected limits whose sums add up, got ${JSON.stringify(rows)}.`);
};

const inUse = async (pool: pg.Pool): Promise<ReadonlyMap<string, number>> => {
  await pool.query('SELECT settle_limits(array_agg(DISTINCT scope)) FROM quota_limit');
  const { rows } = await pool.query<{
    scope: string;
    metric: string;
    window: Record<string, string | number | null>;
    amount: number;
  }>(
    `SELECT scope, metric, used + debt AS amount, jsonb_build_object('kind', window_kind, 'perMs', per_ms,
       'anchorAtMs', anchor_ms, 'timeZone', time_zone, 'unit', unit) AS window
     FROM quota_limit`,
  );
  return new Map(rows.map(({ scope, metric, window, amount }) => [limitName(scope, metric, window), amount]));
};

const addRequest = async (pool: pg.Pool, laneId: string, need: TokenEstimate): Promise<number> => {
  const { rows } = await pool.query<{ id: number }>(
    `INSERT INTO request (batch_id, line_number, custom_id, line, route_id, prompt_tokens, output_tokens, state)
     SELECT id, 1, 'line', '{}', intern_route(id, $1, '{}'), $2, $3, 'pending' FROM batch RETURNING id`,
    [laneId, need.promptTokens, need.outputTokens],
  );
  return rows[0]?.id ?? 0;
};

/** Every order of the suite is a request of its own: those that come back are not to be served again. */
const retirePending = async (pool: pg.Pool): Promise<void> => {
  await pool.query(`UPDATE request SET state = 'failed' WHERE state = 'pending'`);
};

const finished = (grantId: number, settlement: Settlement): FinishedCall => ({
  grantId,
  outcome: 'succeeded',
  reason: null,
  usage: settlement.kind === 'usage' ? settlement.usage : null,
  sentAtMs: null,
  durationMs: null,
  settlement: settlement.kind,
  countsAsTry: true,
  next: { kind: 'failed', line: '{}' },
  excluded: [],
  avoided: [],
  droppedParameters: [],
  outputCapTokens: null,
  told: null,
});

const laneOf = (scopes: readonly QuotaScope[], id: string): Lane => {
  const scope = scopes.find((candidate) => candidate.id === id);
  return {
    id,
    providerId: id.slice(0, id.indexOf('/')),
    model: id.slice(id.indexOf('/') + 1),
    contextTokens: UNBOUNDED_TOKENS,
    maxOutputTokens: UNBOUNDED_TOKENS,
    concurrency: scope?.concurrency ?? SLOTS,
    timeoutMs: 60_000,
    limits: scope?.limits ?? [],
    // The suite's requests are as large as it says, on every lane.
    tokenRatio: 1,
    ...(scope?.unitCost === undefined ? {} : { unitCost: scope.unitCost }),
  };
};

/** A process in all roles but `api`, with so many call slots on each of these lanes. */
export const workerOn = (laneIds: readonly string[], slots: number): Announcement => {
  const providerIds = new Set(laneIds.map((id) => id.slice(0, id.indexOf('/'))));
  const scopes = [
    ...[...providerIds].map((id) => ({ id, concurrency: null, limits: [] })),
    ...laneIds.map((id) => ({ id, concurrency: slots, limits: [] })),
  ];
  const { providers } = routingOf(scopes, laneIds);
  return {
    roles: ['dispatcher', 'worker'],
    lanes: providers.flatMap((provider) => provider.lanes.map((lane) => ({ lane, provider }))),
    configHash: 'test',
    limits: [],
  };
};

/** The configuration that has these scopes: each lane is a pool of its own. */
export const routingOf = (scopes: readonly QuotaScope[], laneIds: readonly string[]): Routing => {
  const lanes = laneIds.map((id) => laneOf(scopes, id));
  const providers = scopes
    .filter((scope) => !laneIds.includes(scope.id))
    .map((scope) => ({
      id: scope.id,
      baseUrl: 'http://127.0.0.1:1/v1',
      tier: 'free' as const,
      trainsOnData: false,
      dialect: 'openai' as const,
      concurrency: scope.concurrency,
      limits: scope.limits,
      refusesParameters: [],
      lanes: lanes.filter((lane) => lane.providerId === scope.id),
    }));
  return {
    providers,
    lane: (id) => lanes.find((lane) => lane.id === id),
    provider: (id) => providers.find((provider) => provider.id === id),
    lanesOf: (name) => lanes.filter((lane) => lane.id === name),
    prices: [],
    resolveModel: (name) =>
      laneIds.includes(name) ? { kind: 'lanes', laneIds: [name] } : { kind: 'unknown', nearest: [] },
    pools: lanes.map(({ id }) => ({ name: id, laneIds: [id] })),
  };
};
