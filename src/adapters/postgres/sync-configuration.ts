/** Writes what the configuration says into the record: limits, prices, and keys that have changed. */
import type pg from 'pg';
import type { Routing } from '../../app/ports.ts';
import { DEFAULT_TOKEN_RATIO, type Limit } from '../../core/model.ts';
import { marginMs } from '../../core/quota/window.ts';
import { THOUSANDTHS } from '../../core/quota/unit-cost.ts';
import { inTransaction } from './connect.ts';

/** A limit as a row of `quota_limit`. */
interface LimitRow {
  readonly scope: string;
  readonly metric: string;
  readonly window_kind: string;
  readonly per_ms: number | null;
  readonly anchor_ms: number | null;
  readonly time_zone: string | null;
  readonly unit: string | null;
  readonly margin_ms: number;
  /** Units in thousandths. */
  readonly amount: number;
  readonly reserved: number;
}

/**
 * One transaction. Limits that are new here start with what recent calls have used of them; limits that have left
 * the configuration are no longer checked but still counted, so that they are right when they come back.
 */
export const syncConfiguration = async (
  pool: pg.Pool,
  routing: Routing,
  fingerprints: ReadonlyMap<string, string>,
): Promise<void> => {
  await inTransaction(pool, async (client) => {
    await syncTerms(client, routing);
    await syncLimits(client, scopesOf(routing), limitRows(routing));
    await reopenMended(client, fingerprints);
    await client.query("SELECT wake_dispatchers('*')");
  });
};

const scopesOf = (routing: Routing): readonly string[] =>
  routing.providers.flatMap(({ id, lanes }) => [id, ...lanes.map((lane) => lane.id)]);

const limitRows = (routing: Routing): LimitRow[] =>
  routing.providers.flatMap((provider) => [
    ...provider.limits.map((limit) => limitRow(provider.id, limit)),
    ...(provider.concurrency === null ? [] : [concurrencyRow(provider.id, provider.concurrency)]),
    ...provider.lanes.flatMap((lane) => [
      ...lane.limits.map((limit) => limitRow(lane.id, limit)),
      concurrencyRow(lane.id, lane.concurrency),
    ]),
  ]);

const limitRow = (scope: string, limit: Limit): LimitRow => {
  const { window } = limit;
  const scale = limit.metric === 'units' ? THOUSANDTHS : 1;
  return {
    scope,
    metric: limit.metric,
    amount: limit.amount * scale,
    reserved: (limit.reserved ?? 0) * scale,
    window_kind: window.kind,
    per_ms: 'perMs' in window ? window.perMs : null,
    anchor_ms: 'anchorAtMs' in window ? window.anchorAtMs : null,
    time_zone: 'timeZone' in window ? window.timeZone : null,
    unit: 'unit' in window ? window.unit : null,
    margin_ms: marginMs(window),
  };
};

const concurrencyRow = (scope: string, amount: number): LimitRow => ({
  scope,
  metric: 'calls',
  amount,
  window_kind: 'concurrency',
  per_ms: null,
  anchor_ms: null,
  time_zone: null,
  unit: null,
  margin_ms: 0,
  reserved: 0,
});

const syncTerms = async (client: pg.PoolClient, { providers }: Routing): Promise<void> => {
  const terms = providers.flatMap(({ tier, lanes }) =>
    lanes.map(({ id, unitCost, tokenRatio = DEFAULT_TOKEN_RATIO, price }) => ({
      lane_id: id,
      unit_input: unitCost?.input ?? null,
      unit_output: unitCost?.output ?? null,
      token_ratio: tokenRatio,
      is_paid: tier === 'paid',
      input_price: price?.inputNanoDollarsPerMillion ?? null,
      output_price: price?.outputNanoDollarsPerMillion ?? null,
      request_price: price?.requestNanoDollars ?? null,
    })),
  );
  await client.query(
    `INSERT INTO lane_terms (lane_id, unit_input, unit_output, token_ratio, is_paid, input_nano_dollars_per_million,
       output_nano_dollars_per_million, request_nano_dollars)
     SELECT * FROM jsonb_to_recordset($1::jsonb) AS r (lane_id text, unit_input float8, unit_output float8, token_ratio float8,
       is_paid boolean, input_price bigint, output_price bigint, request_price bigint)
     ORDER BY lane_id
     ON CONFLICT (lane_id) DO UPDATE SET
       unit_input = EXCLUDED.unit_input, unit_output = EXCLUDED.unit_output, token_ratio = EXCLUDED.token_ratio,
       is_paid = EXCLUDED.is_paid, input_nano_dollars_per_million = EXCLUDED.input_nano_dollars_per_million,
       output_nano_dollars_per_million = EXCLUDED.output_nano_dollars_per_million, request_nano_dollars = EXCLUDED.request_nano_dollars`,
    [JSON.stringify(terms)],
  );
};

const syncLimits = async (
  client: pg.PoolClient,
  scopes: readonly string[],
  rows: readonly LimitRow[],
): Promise<void> => {
  const values = JSON.stringify(rows);
  // Serialises two processes that start at once, and the limits' order of locks with it.
  await client.query('LOCK TABLE quota_limit IN EXCLUSIVE MODE');
  await client.query('UPDATE quota_limit SET active = false WHERE scope = ANY ($1) AND active', [scopes]);
  const { rows: added } = await client.query<{ id: number; is_new: boolean }>(
    `INSERT INTO quota_limit AS l (scope, metric, window_kind, per_ms, anchor_ms, time_zone, unit, margin_ms, amount, declared, reserved)
     SELECT scope, metric, window_kind, per_ms, anchor_ms, time_zone, unit, margin_ms, min(amount), min(amount), max(reserved)
     FROM jsonb_to_recordset($1::jsonb) AS r (scope text, metric text, window_kind text, per_ms bigint, anchor_ms bigint,
       time_zone text, unit text, margin_ms bigint, amount bigint, reserved bigint)
     GROUP BY 1, 2, 3, 4, 5, 6, 7, 8 ORDER BY 1, 2
     ON CONFLICT (scope, metric, window_kind, per_ms, anchor_ms, time_zone, unit)
     DO UPDATE SET declared = EXCLUDED.declared, reserved = EXCLUDED.reserved, margin_ms = EXCLUDED.margin_ms, active = true,
       amount = CASE WHEN l.amount < l.declared THEN least(l.amount, EXCLUDED.amount) ELSE EXCLUDED.amount END
     RETURNING l.id, (xmax = 0) AS is_new`,
    [values],
  );
  // Who declares what the evidence said has understood it.
  await client.query(
    'SELECT heal_limit(id) FROM quota_limit WHERE scope = ANY ($1) AND lowered_since_ms IS NOT NULL AND amount >= declared',
    [scopes],
  );
  const newIds = added.filter((row) => row.is_new).map((row) => row.id);
  if (newIds.length > 0) await client.query('SELECT charge_new_limits($1)', [newIds]);
};

/**
 * What waited for the user may be mended by now, so a start gives it one more call: money always, a key unless it is
 * the one that was refused. `fingerprints` tell keys (and the address they go to) apart without showing them.
 */
const reopenMended = async (
  client: pg.PoolClient,
  fingerprints: ReadonlyMap<string, string>,
): Promise<void> => {
  await client.query(
    `UPDATE health h SET closed_until_ms = NULL, closed_kind = NULL, closed_reason = NULL, needs_user = false
     WHERE h.needs_user AND NOT (h.closed_kind = 'bad-key' AND h.key_fingerprint IS NOT NULL AND EXISTS (
       SELECT FROM unnest($1::text[], $2::text[]) AS k (scope, fingerprint)
       WHERE k.scope = h.scope AND k.fingerprint = h.key_fingerprint))`,
    [[...fingerprints.keys()], [...fingerprints.values()]],
  );
};
