/** Many connections that grant, begin, forget, finish and sweep at once, and the log of what the provider saw. */
import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { postgresGrantLedger } from '../../src/adapters/postgres/grant-ledger.ts';
import { postgresProcessRegistry } from '../../src/adapters/postgres/process-registry.ts';
import { syncConfiguration } from '../../src/adapters/postgres/sync-configuration.ts';
import type { BegunCall, FinishedCall, GrantLedger, Slice } from '../../src/app/ledger.ts';
import type { Seat } from '../../src/app/process-registry.ts';
import type { Lane } from '../../src/core/model.ts';
import type { QuotaScope } from '../../src/core/quota/quota.ts';
import type { TestRecord } from '../postgres-fixture.ts';
import { type CallLog, openCallLog } from './quota-call-log.ts';
import { routingOf, workerOn } from './quota-record.ts';

/** Nobody may wait longer than this for the requests to be done. */
const DEADLINE_MS = 20_000;
/** Grants that nobody begins are given back after this long. */
const UNBEGUN_S = 0.05;

/** How the crowd works. */
export interface Pace {
  /** How many grants it asks for at once; one of these. */
  readonly bites: readonly number[];
  /** What the record is told that calls take, in ms, from the beginning; `null` tells it nothing, so it makes no slices. */
  readonly toldCallMs: number | null;
  /** What they take at most. */
  readonly longestCallMs: number;
}

/** What there is to do. */
export interface Backlog {
  /** Requests of the crowd. */
  readonly requests: number;
  /** Tokens of the smallest prompts; the largest are six times as long. */
  readonly promptTokens: number;
  /** Open lines of another batch, which no lane here may take; slices are as long as there is much left to do. */
  readonly linesElsewhere: number;
}

/** A crowd at work on one backlog. */
export interface Hammering {
  readonly pool: pg.Pool;
  readonly ledger: GrantLedger;
  readonly lanes: readonly Lane[];
  readonly log: CallLog;
  readonly pace: Pace;
  /** How many grants the longest slice had so far. */
  longestSlice: number;
  workerId(): number;
  isOver(): boolean;
  /** Finds out whether it is over; throws once the deadline has passed. */
  look(): Promise<void>;
  /** The worker that makes all calls loses its connection; another takes its place. */
  crash(): Promise<void>;
  leave(): Promise<void>;
}

/** A backlog of requests that any lane may serve. A scope with a `/` is a lane. */
export const prepare = async (
  { pool, address }: TestRecord,
  scopes: readonly QuotaScope[],
  backlog: Backlog,
  pace: Pace,
): Promise<Hammering> => {
  const laneIds = scopes.map((scope) => scope.id).filter((id) => id.includes('/'));
  const routing = routingOf(scopes, laneIds);
  await syncConfiguration(pool, routing, new Map());
  await addBacklog(pool, laneIds, backlog);
  await pool.query(
    'INSERT INTO lane_total (lane_id, mean_call_ms) SELECT l, $2 FROM unnest($1::text[]) AS l',
    [laneIds, pace.toldCallMs],
  );
  const registry = postgresProcessRegistry(address, pool, () => undefined);
  const join = (): Promise<Seat> => registry.join(workerOn(laneIds, 100));
  const deadlineMs = performance.now() + DEADLINE_MS;
  let seat = await join();
  let isOver = false;
  return {
    pool,
    ledger: postgresGrantLedger(pool),
    lanes: routing.providers.flatMap((provider) => provider.lanes),
    log: openCallLog(),
    pace,
    longestSlice: 0,
    workerId: () => seat.id,
    isOver: () => isOver,
    async look() {
      isOver ||= performance.now() > deadlineMs || !(await isAnyOpen(pool));
      if (performance.now() > deadlineMs) {
        throw new Error(`Expected all requests to end within ${DEADLINE_MS} ms, but some are open.`);
      }
    },
    async crash() {
      const dead = seat;
      seat = await join();
      await dead.leave();
      await pool.query('SELECT sweep(15, $1)', [UNBEGUN_S]);
    },
    leave: () => seat.leave(),
  };
};

const addBacklog = async (
  pool: pg.Pool,
  laneIds: readonly string[],
  { requests, promptTokens, linesElsewhere }: Backlog,
): Promise<void> => {
  await pool.query(
    `INSERT INTO batch (identity, name, created_at_ms, total) VALUES ('hammer', 'hammer', now_ms(), $1)`,
    [requests],
  );
  await pool.query(`INSERT INTO pool SELECT id, 'any', $1 FROM batch`, [laneIds]);
  await pool.query(
    `INSERT INTO request (batch_id, line_number, custom_id, line, route_id, prompt_tokens, output_tokens, state)
     SELECT b.id, n, 'line-' || n, '{}', route_id, $2 + n % (5 * $2), 20, 'pending'
     FROM batch b, generate_series(1, $1) AS n, intern_route(b.id, 'any', '{}') AS route_id`,
    [requests, promptTokens],
  );
  await pool.query(
    `INSERT INTO batch (identity, name, created_at_ms, total) VALUES ('elsewhere', 'elsewhere', now_ms(), $1)`,
    [linesElsewhere],
  );
};

const isAnyOpen = async (pool: pg.Pool): Promise<boolean> => {
  const { rows } = await pool.query(`SELECT FROM request WHERE state NOT IN ('succeeded', 'failed') LIMIT 1`);
  return rows.length > 0;
};

/** One of the crowd: works until every request has its final line, on one lane or on two in one go. */
export const hammer = async (night: Hammering): Promise<void> => {
  while (!night.isOver()) {
    const slices = [...(await grantSome(night)), ...(Math.random() < 0.5 ? await grantSome(night) : [])];
    if (slices.length === 0) await rest(night);
    else if (Math.random() < 0.9) await Promise.all(slices.map((slice) => callSlice(night, slice)));
  }
};

const grantSome = async (night: Hammering): Promise<readonly Slice[]> => {
  const { slices } = await night.ledger.grant({
    lane: pickOf(night.lanes),
    targetTokens: pickOf([0, 40, 1_000]),
    wishes: null,
    atMost: pickOf(night.pace.bites),
  });
  night.longestSlice = Math.max(night.longestSlice, ...slices.map((slice) => slice.length));
  return slices;
};

const rest = async (night: Hammering): Promise<void> => {
  await night.pool.query('SELECT sweep(15, $1)', [UNBEGUN_S]);
  await night.look();
  await delay(5 + Math.random() * 10);
};

/** As a worker does it: begun together, called one after the other, and stored one by one or at the end. */
const callSlice = async (night: Hammering, slice: Slice): Promise<void> => {
  const ended: FinishedCall[] = [];
  for (const begun of await night.ledger.begin(slice, night.workerId())) {
    const call = slice.length === 1 ? begun : await beginAgain(night, begun);
    if (call === null) continue;
    ended.push(await callOnce(night, call));
    if (Math.random() < 0.5) await night.ledger.finish(ended.splice(0));
  }
  if (ended.length > 0) await night.ledger.finish(ended);
};

/** A call that waited for others of its slice begins again; a worker that has died in the meantime may not. */
const beginAgain = async (night: Hammering, { grantId }: BegunCall): Promise<BegunCall | null> =>
  (await night.ledger.begin([grantId], night.workerId()))[0] ?? null;

const callOnce = async (night: Hammering, call: BegunCall): Promise<FinishedCall> => {
  const logged = night.log.begin(call);
  await delay(Math.random() * night.pace.longestCallMs);
  const { rows } = await night.pool.query<{ at_ms: number }>('SELECT now_ms() AS at_ms');
  const end = endOf(call, night.pace);
  night.log.end(logged, {
    endedAtMs: rows[0]?.at_ms ?? null,
    actual: {
      promptTokens: end.usage?.promptTokens ?? (end.settlement === 'prompt' ? call.promptTokens : 0),
      outputTokens: end.usage?.completionTokens ?? 0,
    },
    reachedProvider: end.settlement !== 'release',
  });
  return end;
};

/** Mostly done; sometimes refused, never sent, or to be tried again. */
const endOf = ({ grantId, promptTokens, outputTokens }: BegunCall, { toldCallMs }: Pace): FinishedCall => {
  const settlement = pickOf(['usage', 'usage', 'usage', 'prompt', 'request', 'release'] as const);
  const isDone = settlement === 'usage';
  return {
    grantId,
    outcome: isDone ? 'succeeded' : 'sick',
    reason: null,
    usage: isDone ? { promptTokens, completionTokens: Math.floor(outputTokens * Math.random()) } : null,
    sentAtMs: null,
    durationMs: isDone ? toldCallMs : null,
    settlement,
    countsAsTry: false,
    next: isDone ? { kind: 'succeeded', line: '{}' } : { kind: 'pending', avoidUntilMs: null },
    excluded: [],
    avoided: [],
    droppedParameters: [],
    outputCapTokens: null,
    told: null,
  };
};

const pickOf = <T>(items: readonly T[]): T => {
  const item = items[Math.floor(Math.random() * items.length)];
  if (item === undefined) throw new Error('Expected something to pick from, got nothing.');
  return item;
};
