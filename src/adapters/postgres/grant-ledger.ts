/** Grants and quota in PostgreSQL. Each method is one call of the function of its name in the record. */
import { hostname } from 'node:os';
import type pg from 'pg';
import {
  type BegunCall,
  type FinishedCall,
  type Granted,
  type GrantLedger,
  type GrantOrder,
  type PastAttempt,
  type RequestPast,
  type Slice,
  type Swept,
  RecordRefused,
} from '../../app/ledger.ts';
import type { Wish } from '../../core/plan/wish-list.ts';

/**
 * A process whose connection is open but that has been silent for this long is dead: its machine is gone. A held lock
 * is proof of life until then; a process may be stopped for a while and come back with its answers.
 */
const SILENT_S = 600;
/** A grant whose call has not begun after this long gives its quota back. Its job is added again every 2 s until then. */
const UNBEGUN_S = 30;

/** The {@link GrantLedger} on a pool of connections to the record. */
export const postgresGrantLedger = (pool: pg.Pool): GrantLedger => ({
  grant: (order) => grant(pool, order),
  begin: (grantIds, workerId) => begin(pool, grantIds, workerId),
  finish: (calls) => finish(pool, calls),
  pastOf: (grantId) => pastOf(pool, grantId),
  superseded: (grantIds) => superseded(pool, grantIds),
  sweep: () => sweep(pool),
  forgetUnusedQueues: () => forgetUnusedQueues(pool),
});

const grant = async (pool: pg.Pool, { lane, targetTokens, atMost, wishes }: GrantOrder): Promise<Granted> => {
  const { rows } = await pool.query<{
    grant_ids: string[];
    grant_slots: number[];
    wish_places: number[];
    stopped_by: Granted['stoppedBy'];
    wake_at_ms: number | null;
  }>({
    name: 'grant',
    text: `SELECT * FROM grant_requests($1, $2, $3, $4, $5, $6,
             ARRAY(SELECT w::wish FROM unnest($7::integer[], $8::integer[], $9::boolean[], $10::integer[], $11::integer[], $12::integer[], $13::integer[], $14::boolean[]) AS w),
             $15::integer[])`,
    values: [
      lane.id,
      lane.providerId,
      lane.contextTokens,
      lane.maxOutputTokens,
      targetTokens,
      atMost,
      ...wishColumns(wishes?.ranges ?? []),
      wishes?.plannedRouteIds ?? [],
    ],
  });
  const row = onlyRow(rows);
  const made = row.grant_ids.map((id, index) => ({ id: Number(id), slots: row.grant_slots[index] ?? 1 }));
  return {
    slices: slicesOf(made),
    wishPlaces: row.wish_places.map((place) => (place === 0 ? null : place - 1)),
    stoppedBy: row.stopped_by,
    wakeAtMs: row.wake_at_ms,
  };
};

const wishColumns = (ranges: readonly Wish[]): readonly (readonly (number | boolean)[])[] => [
  ranges.map((_, index) => index + 1),
  ranges.map(({ cell }) => cell.routeId),
  ranges.map(({ cell }) => cell.outputIsAsked),
  ranges.map(({ cell }) => cell.capTokens),
  ranges.map(({ cell }) => cell.fromTokens),
  ranges.map(({ cell }) => cell.toTokens),
  ranges.map(({ atMost }) => atMost),
  ranges.map(({ isPlanned }) => isPlanned),
];

/** Cuts grants, in the order of their ids, into slices: the last grant of each holds its slot. */
const slicesOf = (grants: readonly { readonly id: number; readonly slots: number }[]): readonly Slice[] => {
  const slices: Slice[] = [];
  let ids: number[] = [];
  for (const { id, slots } of grants) {
    ids.push(id);
    if (slots === 0) continue;
    slices.push(ids);
    ids = [];
  }
  return ids.length === 0 ? slices : [...slices, ids];
};

interface BegunRow {
  readonly grant_id: number;
  readonly request_id: number;
  readonly lane_id: string;
  readonly begun_at_ms: number;
  readonly prompt_tokens: number;
  readonly output_tokens: number;
  readonly output_is_asked: boolean;
  readonly most_output_tokens: number;
  readonly custom_id: string;
  readonly line: string;
  readonly task: unknown;
  readonly tries: number;
  readonly excluded: string[];
  readonly avoided: string[];
  readonly dropped_parameters: string[];
  readonly pool_lane_ids: string[] | null;
  readonly trail: PastAttempt[] | null;
  readonly patience_ms: number | null;
  readonly is_probe: boolean;
  readonly is_trial: boolean;
}

const begin = async (
  pool: pg.Pool,
  grantIds: readonly number[],
  workerId: number,
): Promise<readonly BegunCall[]> => {
  const { rows } = await pool.query<BegunRow>({
    name: 'begin',
    text: 'SELECT * FROM begin_grants($1::bigint[], $2)',
    values: [grantIds, workerId],
  });
  return rows.map((row) => ({
    grantId: row.grant_id,
    requestId: row.request_id,
    laneId: row.lane_id,
    begunAtMs: row.begun_at_ms,
    promptTokens: row.prompt_tokens,
    outputTokens: row.output_tokens,
    outputIsAsked: row.output_is_asked,
    mostOutputTokens: row.most_output_tokens,
    customId: row.custom_id,
    line: row.line,
    task: row.task,
    tries: row.tries,
    excluded: row.excluded,
    avoided: row.avoided,
    droppedParameters: row.dropped_parameters,
    poolLaneIds: row.pool_lane_ids ?? [],
    trail: row.trail ?? [],
    patienceMs: row.patience_ms,
    isProbe: row.is_probe,
    isTrial: row.is_trial,
  }));
};

const pastOf = async (pool: pg.Pool, grantId: number): Promise<RequestPast | null> => {
  const { rows } = await pool.query<RequestPast>({
    name: 'past',
    text: `SELECT r.tries, r.excluded, r.avoided, r.dropped_parameters AS "droppedParameters", coalesce(attempts_of(r.id), '[]') AS trail
           FROM grants g JOIN request r ON r.id = g.request_id WHERE g.id = $1`,
    values: [grantId],
  });
  return rows[0] ?? null;
};

/** SQLSTATE classes "data exception" and "integrity constraint violation": the same again fails again. */
const REFUSED = /^2[23]/u;

const finish = async (pool: pg.Pool, calls: readonly FinishedCall[]): Promise<void> => {
  try {
    await tellOutcomes(pool, calls);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    throw REFUSED.test(code)
      ? new RecordRefused(`the record refuses the outcome (${code})`, { cause: error })
      : error;
  }
};

const tellOutcomes = async (pool: pg.Pool, calls: readonly FinishedCall[]): Promise<void> => {
  const column = <T>(of: (call: FinishedCall) => T): T[] => calls.map((call) => of(call));
  await pool.query({
    name: 'finish',
    text: `SELECT finish_grants($1::bigint[], $2::text[], $3::text[], $4::integer[], $5::integer[], $6::text[], $7::text[],
                                $8::text[], $9::bigint[], $10::text[], $11::text[], $12::text[], $13::smallint[], $14::integer[], $15::integer[],
                                $16::bigint[], $17::text[])`,
    values: [
      column((call) => call.grantId),
      column((call) => call.outcome),
      column((call) => call.reason),
      column((call) => call.usage?.promptTokens ?? null),
      column((call) => call.usage?.completionTokens ?? null),
      column((call) => call.settlement),
      column((call) => call.next.kind),
      column((call) => ('line' in call.next ? call.next.line : null)),
      column((call) => dueAtMs(call.next)),
      column((call) => JSON.stringify(call.excluded)),
      column((call) => JSON.stringify(call.avoided)),
      column((call) => JSON.stringify(call.droppedParameters)),
      column((call) => (call.countsAsTry ? 1 : 0)),
      column((call) => call.outputCapTokens),
      column((call) => call.durationMs),
      column((call) => call.sentAtMs),
      column((call) => (call.told === null ? null : JSON.stringify(call.told))),
    ],
  });
};

const dueAtMs = (next: FinishedCall['next']): number | null => {
  switch (next.kind) {
    case 'pending':
      return next.avoidUntilMs === null ? null : Math.ceil(next.avoidUntilMs);
    case 'parked':
      return Math.ceil(next.untilMs);
    case 'succeeded':
    case 'failed':
      return null;
  }
};

const superseded = async (pool: pg.Pool, grantIds: readonly number[]): Promise<readonly number[]> => {
  const { rows } = await pool.query<{ id: number }>({
    name: 'superseded',
    text: `SELECT g.id FROM grants g JOIN request r ON r.id = g.request_id
           WHERE g.id = ANY ($1::bigint[]) AND r.state IN ('succeeded', 'failed', 'cancelled', 'expired')`,
    values: [grantIds],
  });
  return rows.map(({ id }) => id);
};

const sweep = async (pool: pg.Pool): Promise<Swept> => {
  const gone = await goneProcesses(pool);
  const { rows } = await pool.query<{
    missing_jobs: readonly MissingJob[] | null;
    next_due_at_ms: number | null;
  }>({
    name: 'sweep',
    text: 'SELECT * FROM sweep($1, $2, $3)',
    values: [SILENT_S, UNBEGUN_S, gone],
  });
  const row = onlyRow(rows);
  const missingJobs = [...Map.groupBy(row.missing_jobs ?? [], ({ laneId }) => laneId)].flatMap(
    ([laneId, grants]) => slicesOf(grants).map((slice) => ({ laneId, slice })),
  );
  return { missingJobs, nextDueAtMs: row.next_due_at_ms };
};

/** The processes of this machine that do not exist any more: there is no need to wait for their return. */
const goneProcesses = async (pool: pg.Pool): Promise<readonly number[]> => {
  const { rows } = await pool.query<{ id: number; pid: number }>({
    name: 'processes-here',
    text: 'SELECT id, pid FROM process WHERE host = $1',
    values: [hostname()],
  });
  return rows.filter(({ pid }) => !exists(pid)).map(({ id }) => id);
};

const exists = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
};

interface MissingJob {
  readonly id: number;
  readonly laneId: string;
  readonly slots: number;
}

const forgetUnusedQueues = async (pool: pg.Pool): Promise<readonly string[]> => {
  const { rows } = await pool.query<{ lane_id: string }>('SELECT forget_unused_queues() AS lane_id');
  return rows.map((row) => row.lane_id);
};

const onlyRow = <T>(rows: readonly T[]): T => {
  const [row] = rows;
  if (row === undefined) throw new Error('Expected one row from the record, got none.');
  return row;
};
