/** Many connections that grant, begin, forget, finish and sweep at once, and the log of what the provider saw. */
import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { postgresGrantLedger } from '../../src/adapters/postgres/grant-ledger.ts';
import { syncConfiguration } from '../../src/adapters/postgres/sync-configuration.ts';
import { postgresWorkerRegistry } from '../../src/adapters/postgres/worker-registry.ts';
import type { BegunCall, FinishedCall, GrantLedger, WorkerSeat } from '../../src/app/ports.ts';
import type { Lane } from '../../src/core/model.ts';
import type { QuotaScope } from '../../src/core/quota.ts';
import type { TestRecord } from '../postgres-fixture.ts';
import type { ProvidersCall } from './quota-provider.ts';
import { routingOf } from './quota-record.ts';

/** Nobody may wait longer than this for the requests to be done. */
const DEADLINE_MS = 20_000;
/** Grants that nobody begins are given back after this long. */
const UNBEGUN_S = 0.05;

/** A crowd at work on one backlog. */
export interface Hammering {
  readonly pool: pg.Pool;
  readonly ledger: GrantLedger;
  readonly lanes: readonly Lane[];
  readonly mostUnderWay: Map<string, number>;
  workerId(): number;
  isOver(): boolean;
  callsOn(scope: string): readonly ProvidersCall[];
  /** Writes a call down, and counts it as under way until it ends. */
  begun(call: BegunCall): LoggedCall;
  ended(call: LoggedCall, end: Partial<LoggedCall>): void;
  /** The worker that makes all calls loses its connection; another takes its place. */
  crash(): Promise<void>;
  look(): Promise<void>;
  leave(): Promise<void>;
}

interface LoggedCall {
  readonly scopes: readonly string[];
  readonly begunAtMs: number;
  readonly arrival01: number;
  readonly estimate: ProvidersCall['estimate'];
  endedAtMs: number | null;
  actual: ProvidersCall['actual'];
  reachedProvider: boolean;
}

/** A backlog of small requests that any lane may serve. The scopes are one provider and then its lanes. */
export const prepare = async (
  { pool, address }: TestRecord,
  scopes: readonly QuotaScope[],
  requests: number,
): Promise<Hammering> => {
  const laneIds = scopes.slice(1).map((scope) => scope.id);
  const routing = routingOf(scopes, laneIds);
  await syncConfiguration(pool, routing, new Map());
  await pool.query('INSERT INTO pool (name, lane_ids) VALUES ($1, $2)', ['any', laneIds]);
  await pool.query(`INSERT INTO batch (identity, name, created_at_ms, total) VALUES ('hammer', 'hammer', now_ms(), $1)`, [requests]);
  await pool.query(
    `INSERT INTO request (batch_id, line_number, custom_id, line, route_id, prompt_tokens, output_tokens, state)
     SELECT b.id, n, 'line-' || n, '{}', route_id, 10 + n % 50, 20, 'pending'
     FROM batch b, generate_series(1, $1) AS n, intern_route('any', '{}') AS route_id`,
    [requests],
  );
  const registry = postgresWorkerRegistry(address, () => undefined);
  const join = (): Promise<WorkerSeat> => registry.join(laneIds.map((laneId) => ({ laneId, slots: 100 })));
  let seat = await join();
  let isOver = false;
  const startedMs = performance.now();
  const calls: LoggedCall[] = [];
  const underWay = new Map<string, number>();
  const mostUnderWay = new Map<string, number>();
  const count = (call: LoggedCall, change: 1 | -1): void => {
    for (const scope of call.scopes) {
      const now = (underWay.get(scope) ?? 0) + change;
      underWay.set(scope, now);
      mostUnderWay.set(scope, Math.max(now, mostUnderWay.get(scope) ?? 0));
    }
  };

  return {
    pool,
    ledger: postgresGrantLedger(pool),
    lanes: routing.providers.flatMap((provider) => provider.lanes),
    mostUnderWay,
    workerId: () => seat.id,
    isOver: () => isOver,
    callsOn: (scope) =>
      calls
        .filter((call) => call.reachedProvider && call.scopes.includes(scope))
        .toSorted((a, b) => a.begunAtMs - b.begunAtMs),
    begun({ laneId, begunAtMs, promptTokens, outputTokens }) {
      const estimate = { promptTokens, outputTokens };
      const call: LoggedCall = {
        scopes: [laneId, ...scopes.slice(0, 1).map((scope) => scope.id)],
        begunAtMs,
        arrival01: Math.random(),
        estimate,
        endedAtMs: null,
        actual: estimate,
        reachedProvider: true,
      };
      calls.push(call);
      count(call, 1);
      return call;
    },
    ended(call, end) {
      Object.assign(call, end);
      count(call, -1);
    },
    async crash() {
      const dead = seat;
      seat = await join();
      await dead.leave();
      await pool.query('SELECT sweep(15, $1)', [UNBEGUN_S]);
    },
    async look() {
      const { rows } = await pool.query('SELECT 1 FROM request WHERE state NOT IN ($1, $2) LIMIT 1', ['succeeded', 'failed']);
      isOver ||= rows.length === 0;
      if (performance.now() - startedMs > DEADLINE_MS) {
        isOver = true;
        throw new Error(`Expected all requests to end within ${DEADLINE_MS} ms.`);
      }
    },
    leave: () => seat.leave(),
  };
};

/** One of the crowd: works until every request has its final line. */
export const hammer = async (night: Hammering): Promise<void> => {
  while (!night.isOver()) {
    const { grantIds } = await night.ledger.grant({
      lane: pickOf(night.lanes),
      targetTokens: pickOf([0, 40, 1_000]),
      atMost: pickOf([1, 2, 4]),
    });
    if (grantIds.length === 0) await rest(night);
    else if (Math.random() < 0.9) await callAll(night, grantIds);
  }
};

const rest = async (night: Hammering): Promise<void> => {
  await night.pool.query('SELECT sweep(15, $1)', [UNBEGUN_S]);
  await night.look();
  await delay(5 + Math.random() * 10);
};

const callAll = async (night: Hammering, grantIds: readonly number[]): Promise<void> => {
  const begun = await night.ledger.begin(grantIds, night.workerId());
  const calls = begun.map((call) => ({ call, logged: night.begun(call) }));
  await delay(Math.random() * 20);
  const finished = calls.map(({ call, logged }) => {
    const end = endOf(call);
    const actual = { promptTokens: end.usage?.promptTokens ?? 0, outputTokens: end.usage?.completionTokens ?? 0 };
    night.ended(logged, { actual, reachedProvider: end.settlement !== 'release' });
    return end;
  });
  await night.ledger.finish(finished);
  const { rows } = await night.pool.query<{ at_ms: number }>('SELECT now_ms() AS at_ms');
  for (const { logged } of calls) logged.endedAtMs = rows[0]?.at_ms ?? null;
};

/** Mostly done; sometimes refused, never sent, or to be tried again. */
const endOf = ({ grantId, promptTokens, outputTokens }: BegunCall): FinishedCall => {
  const settlement = pickOf(['usage', 'usage', 'usage', 'request', 'release'] as const);
  const isDone = settlement === 'usage';
  return {
    grantId,
    outcome: isDone ? 'succeeded' : 'sick',
    reason: null,
    usage: isDone ? { promptTokens, completionTokens: Math.floor(outputTokens * Math.random()) } : null,
    settlement,
    countsAsTry: false,
    next: isDone ? { kind: 'succeeded', line: '{}' } : { kind: 'pending', avoidUntilMs: null },
    excluded: [],
    avoided: [],
    droppedParameters: [],
    outputCapTokens: null,
  };
};

const pickOf = <T>(items: readonly T[]): T => {
  const item = items[Math.floor(Math.random() * items.length)];
  if (item === undefined) throw new Error('Expected something to pick from, got nothing.');
  return item;
};
