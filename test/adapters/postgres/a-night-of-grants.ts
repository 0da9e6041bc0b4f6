/**
 * A night on a real record: lanes ask when the dispatcher would, with the wish lists of real plans, and calls end as the night
 * has it. Time is the record's, and goes from one event to the next.
 */
import type pg from 'pg';
import { postgresGrantLedger } from '../../../src/adapters/postgres/grant-ledger.ts';
import { postgresProcessRegistry } from '../../../src/adapters/postgres/process-registry.ts';
import { postgresSituationReader } from '../../../src/adapters/postgres/situation-reader.ts';
import { syncConfiguration } from '../../../src/adapters/postgres/sync-configuration.ts';
import type { FinishedCall, GrantLedger, Wishes } from '../../../src/app/ledger.ts';
import { openPlanBook, type PlanBook } from '../../../src/app/plan-book.ts';
import type { Routing } from '../../../src/app/ports.ts';
import { targetTokens } from '../../../src/core/matching.ts';
import type { Lane } from '../../../src/core/model.ts';
import type { Solve } from '../../../src/core/plan/linear-programme.ts';
import { makePlan } from '../../../src/core/plan/plan.ts';
import { aProvider, routingFor } from '../../app/fakes.ts';
import { stopClockAt, workerOn } from '../../contracts/quota-record.ts';
import type { TestRecord } from '../../postgres-fixture.ts';
import { CAP_TOKENS, LANE_IDS, type NightOfGrants, type Outcome, START_MS } from './any-night-of-grants.ts';
import { type Asked, expectNoIdleness } from './idleness.ts';

/** As in app/dispatch.ts. */
const GRANTS_AT_ONCE = 256;
/** All lanes together, in one instant. */
const MOST_ASKS = 150;
const MOST_INSTANTS = 600;
const CLOSED_FOR_MS = 20_000;

/** A record that nights can be played on, one after the other. */
export interface StageOfNights extends AsyncDisposable {
  /** Plays a night to its end. @throws if a lane idled, or spun, or the night does not end. */
  play(night: NightOfGrants): Promise<void>;
}

export const openStageOfNights = async (
  { pool, address }: TestRecord,
  solve: Solve,
): Promise<StageOfNights> => {
  const seat = await postgresProcessRegistry(address, pool, () => undefined).join(workerOn(LANE_IDS, 1_000));
  return {
    play: (night) => play({ pool, processId: seat.id, solve }, night),
    [Symbol.asyncDispose]: () => seat.leave(),
  };
};

interface Stage {
  readonly pool: pg.Pool;
  readonly processId: number;
  readonly solve: Solve;
}

interface Call {
  readonly grantId: number;
  readonly laneId: string;
  readonly outcome: Outcome;
  readonly beginsAtMs: number;
  readonly endsAtMs: number;
  readonly hasBegun: boolean;
}

const play = async (stage: Stage, night: NightOfGrants): Promise<void> => {
  const { pool } = stage;
  const providers = [
    aProvider(night.lanes.slice(0, 2), { limits: night.providerLimits }),
    aProvider(night.lanes.slice(2)),
  ];
  const routing = routingFor(providers);
  await pool.query(
    'DELETE FROM batch; DELETE FROM route; DELETE FROM pool; DELETE FROM quota_limit; DELETE FROM lane_total; DELETE FROM health; DELETE FROM lane_pause',
  );
  await stopClockAt(pool, START_MS);
  await syncConfiguration(pool, routing, new Map());
  const ledger = postgresGrantLedger(pool);

  let nowMs = START_MS;
  let calls: readonly Call[] = [];
  let made = 0;
  // Where nothing has happened a plan is as good as the one before.
  let hasNews = true;
  let arrivals = night.batches.map((batch, index) => ({ ...batch, atMs: START_MS + batch.atMs, index }));
  let switches = night.pauses.flatMap(({ laneId, atMs, forMs }) => [
    { laneId, atMs: START_MS + atMs, text: 'SELECT pause_lane($1)' },
    { laneId, atMs: START_MS + atMs + forMs, text: 'SELECT resume_lane($1)' },
  ]);
  let planAtMs = night.planEveryMs === null ? Infinity : START_MS;
  const wakeAtMs = new Map<string, number>(LANE_IDS.map((id) => [id, START_MS]));
  const wake = (test: (laneId: string) => boolean): void => {
    for (const id of LANE_IDS) if (test(id)) wakeAtMs.set(id, nowMs);
  };
  const book = openPlanBook(() => nowMs);
  book.listen(() => wake(() => true));

  const arrive = async (): Promise<void> => {
    const due = arrivals.filter(({ atMs }) => atMs <= nowMs);
    arrivals = arrivals.filter(({ atMs }) => atMs > nowMs);
    for (const batch of due) await addBatch(pool, batch);
    if (due.length > 0) wake(() => true);
    hasNews ||= due.length > 0;
  };

  const pauseAndResume = async (): Promise<void> => {
    const due = switches.filter(({ atMs }) => atMs <= nowMs).toSorted((a, b) => a.atMs - b.atMs);
    switches = switches.filter(({ atMs }) => atMs > nowMs);
    for (const { laneId, text } of due) await pool.query(text, [laneId]);
    if (due.length > 0) wake(() => true);
    hasNews ||= due.length > 0;
  };

  const begin = async (): Promise<void> => {
    const due = calls.filter((call) => !call.hasBegun && call.beginsAtMs <= nowMs);
    if (due.length === 0) return;
    const ids = due.map(({ grantId }) => grantId);
    const begun = new Set((await ledger.begin(ids, stage.processId)).map(({ grantId }) => grantId));
    calls = calls.flatMap((call) => {
      if (!ids.includes(call.grantId)) return [call];
      return begun.has(call.grantId) ? [{ ...call, hasBegun: true }] : [];
    });
    // What may not begin any more was given back, and dispatchers are told.
    if (begun.size < ids.length) wake(() => true);
  };

  const end = async (): Promise<void> => {
    const due = calls.filter((call) => call.hasBegun && call.endsAtMs <= nowMs);
    calls = calls.filter((call) => !due.includes(call));
    hasNews ||= due.length > 0;
    for (const call of due) {
      await endCall(pool, ledger, call);
      wake((id) => providerOf(id) === providerOf(call.laneId) || call.outcome !== 'succeeded');
    }
  };

  const plan = async (): Promise<void> => {
    if (planAtMs > nowMs || !hasNews) return;
    planAtMs = nowMs + (night.planEveryMs ?? Infinity);
    hasNews = false;
    const situation = await postgresSituationReader(pool).read(
      providers.flatMap((provider) => provider.lanes.map((lane) => ({ lane, provider }))),
    );
    if (situation.cells.length > 0) book.adopt(makePlan(situation, stage.solve), 60_000);
  };

  const askAll = async (): Promise<readonly Asked[]> => {
    const asked = new Map<string, Asked>();
    let asks = 0;
    for (;;) {
      const laneId = LANE_IDS.find((id) => (wakeAtMs.get(id) ?? Infinity) <= nowMs);
      if (laneId === undefined) return [...asked.values()];
      asks += 1;
      // A lane that asks although nothing has changed spins.
      if (asks > MOST_ASKS) throw new Error(`Expected ${laneId} to wait, but it asks again and again.`);
      const lane = laneIn(routing, laneId);
      wakeAtMs.set(laneId, Infinity);
      const wishes = book.wishesFor(laneId);
      const grantIds = await ask({ ledger, routing, book, wishes, lane, wakeAtMs, nowMs });
      asked.set(laneId, { lane, target: targetOf(routing, lane), wishes });
      // What others wait for may be gone: a belt for which nobody has to wait.
      if (grantIds.length > 0) for (const id of asked.keys()) wakeAtMs.set(id, nowMs);
      for (const grantId of grantIds) {
        const fate = night.calls[made % night.calls.length] ?? { ms: 1_000, outcome: 'succeeded' as const };
        made += 1;
        // Chance gets tired, so that the night ends.
        const outcome = made > 60 ? 'succeeded' : fate.outcome;
        const beginsAtMs = nowMs + night.beginMs;
        calls = [
          ...calls,
          { grantId, laneId, outcome, beginsAtMs, endsAtMs: beginsAtMs + fate.ms, hasBegun: false },
        ];
      }
      if (night.beginMs === 0) await begin();
    }
  };

  for (let instant = 0; ; instant += 1) {
    if (instant > MOST_INSTANTS) throw new Error('Expected the night to end, but it goes on and on.');
    await arrive();
    await pauseAndResume();
    await end();
    await begin();
    await plan();
    await expectNoIdleness(pool, await askAll(), nowMs);
    await expectNoneTwiceAtOnce(pool);
    const isOver = arrivals.length === 0 && calls.length === 0 && (await openRequests(pool)) === 0;
    if (isOver) break;
    const nextEventMs = Math.min(
      ...wakeAtMs.values(),
      ...arrivals.map(({ atMs }) => atMs),
      ...switches.map(({ atMs }) => atMs),
      ...calls.map((call) => (call.hasBegun ? call.endsAtMs : call.beginsAtMs)),
      hasNews ? planAtMs : Infinity,
    );
    if (nextEventMs === Infinity) hasNews = true;
    const nextMs = nextEventMs === Infinity ? planAtMs : nextEventMs;
    if (nextMs === Infinity) throw new Error('Expected somebody to wake, but requests are pending for ever.');
    nowMs = Math.max(nowMs + 1, nextMs);
    await stopClockAt(pool, nowMs);
  }
  await expectEveryLineOnce(pool);
};

interface Asking {
  readonly ledger: GrantLedger;
  readonly routing: Routing;
  readonly book: PlanBook;
  readonly wishes: Wishes | null;
  readonly lane: Lane;
  readonly wakeAtMs: Map<string, number>;
  readonly nowMs: number;
}

/** As in app/dispatch.ts, but for the belt: a lane that is not woken sleeps on. */
const ask = async ({
  ledger,
  routing,
  book,
  wishes,
  lane,
  wakeAtMs,
  nowMs,
}: Asking): Promise<readonly number[]> => {
  const granted = await ledger.grant({
    lane,
    targetTokens: targetOf(routing, lane),
    wishes,
    atMost: GRANTS_AT_ONCE,
  });
  const at = granted.stoppedBy === '' ? nowMs : (granted.wakeAtMs ?? Infinity);
  wakeAtMs.set(lane.id, Math.min(wakeAtMs.get(lane.id) ?? Infinity, at));
  book.answered(lane.id, granted.stoppedBy === 'no-work' && granted.slices.length === 0);
  for (const place of granted.wishPlaces) {
    const wish = place === null ? undefined : wishes?.ranges[place];
    if (wish !== undefined) book.took(lane.id, wish.sizeClass);
  }
  return granted.slices.flat();
};

const addBatch = async (
  pool: pg.Pool,
  batch: NightOfGrants['batches'][number] & { readonly index: number },
): Promise<void> => {
  await pool.query(
    `WITH b AS (INSERT INTO batch (identity, name, created_at_ms, total, priority) VALUES ($1, $1, now_ms(), $2, $5) RETURNING id),
       p AS (INSERT INTO pool SELECT b.id, 'pool', $3::text[] FROM b),
       r AS (INSERT INTO route (batch_id, pool_name) SELECT b.id, 'pool' FROM b RETURNING id, batch_id)
     INSERT INTO request (batch_id, line_number, custom_id, line, route_id, prompt_tokens, output_tokens, output_is_asked, state)
     SELECT r.batch_id, s.place, s.place::text, '{}', r.id, s.size, ${CAP_TOKENS}, true, 'pending'
     FROM r, unnest($4::integer[]) WITH ORDINALITY AS s (size, place)`,
    [`batch ${batch.index}`, batch.prompts.length, batch.laneIds, batch.prompts, batch.priority],
  );
};

const endCall = async (
  pool: pg.Pool,
  ledger: GrantLedger,
  { grantId, laneId, outcome }: Call,
): Promise<void> => {
  if (outcome === 'lost') {
    await pool.query(
      "SELECT close_lost_grants(ARRAY[$1::bigint]) FROM grants WHERE id = $1 AND state = 'begun'",
      [grantId],
    );
    return;
  }
  if (outcome === 'closing') await close(pool, laneId);
  const { rows } = await pool.query<{ excluded: string[]; lane_ids: string[] | null }>(
    `SELECT r.excluded, p.lane_ids FROM grants g JOIN request r ON r.id = g.request_id LEFT JOIN pool p ON p.batch_id = r.batch_id WHERE g.id = $1`,
    [grantId],
  );
  const { excluded = [], lane_ids: laneIds } = rows[0] ?? {};
  const left = (laneIds ?? []).filter((id) => id !== laneId && !excluded.includes(id));
  const told: FinishedCall = {
    grantId,
    outcome: outcome === 'succeeded' ? 'succeeded' : 'sick',
    reason: null,
    usage: null,
    sentAtMs: null,
    durationMs: 1_000,
    settlement: 'estimate',
    countsAsTry: false,
    next: { kind: 'pending', avoidUntilMs: null },
    excluded,
    avoided: [],
    droppedParameters: [],
    outputCapTokens: null,
    told: null,
  };
  await ledger.finish([withNext(told, outcome, left.length > 0 ? [...excluded, laneId] : null)]);
};

const close = async (pool: pg.Pool, laneId: string): Promise<void> => {
  await pool.query(
    `INSERT INTO health (scope, closed_until_ms) VALUES ($1, now_ms() + ${CLOSED_FOR_MS})
     ON CONFLICT (scope) DO UPDATE SET closed_until_ms = EXCLUDED.closed_until_ms`,
    [laneId],
  );
};

const withNext = (
  told: FinishedCall,
  outcome: Outcome,
  elsewhere: readonly string[] | null,
): FinishedCall => {
  switch (outcome) {
    case 'succeeded':
    case 'failed':
      return { ...told, next: { kind: outcome, line: '{}' } };
    case 'elsewhere':
      return elsewhere === null ? told : { ...told, excluded: elsewhere };
    case 'again':
    case 'closing':
    case 'lost':
      return told;
  }
};

const openRequests = async (pool: pg.Pool): Promise<number> => {
  const { rows } = await pool.query<{ open: number }>(
    "SELECT count(*) AS open FROM request WHERE state IN ('pending', 'granted', 'parked')",
  );
  return rows[0]?.open ?? 0;
};

/** Of calls under way a request has one, or a second one on another lane; and while it has any, it waits for no other. */
const expectNoneTwiceAtOnce = async (pool: pg.Pool): Promise<void> => {
  const { rows } = await pool.query(
    `SELECT r.id, r.state, jsonb_agg(to_jsonb(g) ORDER BY g.id) AS calls
     FROM request r JOIN grants g ON g.request_id = r.id WHERE g.state <> 'closed' GROUP BY r.id
     HAVING r.state = 'pending' OR count(*) > 2 OR count(*) > count(DISTINCT g.lane_id)`,
  );
  if (rows.length > 0)
    throw new Error(`Expected no call beside those under way, got ${JSON.stringify(rows)}.`);
};

/** Whatever calls were made twice, died or came late. */
const expectEveryLineOnce = async (pool: pg.Pool): Promise<void> => {
  const { rows } = await pool.query(
    `SELECT b.name FROM batch b WHERE b.state <> 'completed'
        OR b.succeeded <> (SELECT count(*) FROM result r WHERE r.batch_id = b.id AND r.succeeded)
        OR b.failed <> (SELECT count(*) FROM result r WHERE r.batch_id = b.id AND NOT r.succeeded)
        OR b.total <> (SELECT count(*) FROM result r WHERE r.batch_id = b.id)
     UNION ALL SELECT 'an open grant' FROM grants WHERE state <> 'closed'`,
  );
  if (rows.length > 0) throw new Error(`Expected one final line per request, got ${JSON.stringify(rows)}.`);
};

const laneIn = (routing: Routing, laneId: string): Lane => {
  const lane = routing.lane(laneId);
  if (lane === undefined) throw new Error(`Expected a lane of the night, got ${laneId}.`);
  return lane;
};

const targetOf = (routing: Routing, lane: Lane): number => {
  const provider = routing.provider(lane.providerId);
  if (provider === undefined) throw new Error(`Expected a provider of the night, got ${lane.providerId}.`);
  return targetTokens(provider, lane);
};

const providerOf = (laneId: string): string => laneId.slice(0, laneId.indexOf('/'));
