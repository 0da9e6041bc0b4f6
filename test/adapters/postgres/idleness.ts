/**
 * Whether a lane idles that need not, in its own words: nothing here asks the functions that grant. A lane with a free slot
 * may leave a pending request that fits only if the plan names a better place, if it would put off one that the lane wants
 * more and that does not fit yet, or if one that is planned fits as soon as answers are there that are due.
 */
import type pg from 'pg';
import type { Wishes } from '../../../src/app/ledger.ts';
import type { Lane } from '../../../src/core/model.ts';

/** A lane that was asked, and says that it can take no more. */
export interface Asked {
  readonly lane: Lane;
  /** See `targetTokens`. */
  readonly target: number;
  readonly wishes: Wishes | null;
}

interface Pending {
  readonly id: number;
  readonly routeId: number;
  /** Routes of its batch from the same pool on which something waits, its own among them. */
  readonly kinIds: readonly number[];
  readonly promptTokens: number;
  readonly capTokens: number;
  readonly laneIds: readonly string[];
}

interface Use {
  readonly amount: number;
  /** `null`: it has not begun, or not finished on a bucket. */
  readonly endsAtMs: number | null;
}

interface Meter {
  readonly scope: string;
  readonly metric: 'requests' | 'tokens' | 'calls';
  readonly kind: 'rolling' | 'refill' | 'fixed' | 'concurrency';
  readonly amount: number;
  readonly perMs: number;
  readonly anchorMs: number;
  readonly marginMs: number;
  readonly debt: number;
  readonly drainedAtMs: number;
  readonly uses: readonly Use[];
}

/** What a bucket is still short of by less is rounding; it will have drained in a millisecond. */
const ROUNDING = 1e-6;

/** @throws if one of these lanes idles without a reason. */
export const expectNoIdleness = async (
  pool: pg.Pool,
  asked: readonly Asked[],
  nowMs: number,
): Promise<void> => {
  if (asked.length === 0) return;
  const [pending, meters, closed, due] = await Promise.all([
    readPending(pool),
    readMeters(pool),
    readClosed(pool, nowMs),
    readDue(pool, nowMs),
  ]);
  for (const { lane, target, wishes } of asked) {
    if (closed.includes(lane.id)) continue;
    const own = meters.filter(({ scope }) => scope === lane.id || scope === lane.providerId);
    const mine = pending.filter(({ laneIds }) => laneIds.includes(lane.id));
    const idle = mine.filter((request) => own.every((meter) => fits(meter, [request], nowMs)));
    const heads = headsOf(mine, wishes, target).filter(
      (head) => !own.every((meter) => fits(meter, [head], nowMs)),
    );
    const comingTokens = comingOf(lane, own, due);
    const roomier = own.map((meter) =>
      meter.metric === 'tokens' ? { ...meter, amount: meter.amount + comingTokens } : meter,
    );
    const isSoon = plannedOf(mine, wishes).some(
      (head) =>
        !own.every((meter) => fits(meter, [head], nowMs)) &&
        roomier.every((meter) => fits(meter, [head], nowMs)),
    );
    if (isSoon) continue;
    const left = idle.find(
      (request) =>
        !hasBetterPlace(request, wishes) && !heads.some((head) => putsOff(own, head, request, nowMs)),
    );
    if (left !== undefined)
      throw new Error(
        `Expected ${lane.id} to take a request that fits, got ${JSON.stringify({ left, heads, own, nowMs })}.`,
      );
  }
};

/** Of a route that the plan knows, or knew before the request failed, and on no list of this lane's. */
const hasBetterPlace = (request: Pending, wishes: Wishes | null): boolean =>
  wishes !== null &&
  isPlannedFor(request, wishes) &&
  !wishes.ranges.some((wish) => isIn(request, wish, wishes));

const isPlannedFor = ({ kinIds }: Pending, { plannedRouteIds }: Wishes): boolean =>
  kinIds.some((id) => plannedRouteIds.includes(id));

const isIn = (
  { routeId, kinIds, promptTokens }: Pending,
  { cell }: Wishes['ranges'][number],
  { plannedRouteIds }: Wishes,
): boolean =>
  (plannedRouteIds.includes(routeId) ? routeId === cell.routeId : kinIds.includes(cell.routeId)) &&
  promptTokens >= cell.fromTokens &&
  promptTokens <= cell.toTokens;

/** What the lane may wait for: the largest of each range that is planned on it, and of other routes the one that suits it best. */
const headsOf = (mine: readonly Pending[], wishes: Wishes | null, target: number): readonly Pending[] => {
  const wished = plannedOf(mine, wishes);
  const others = mine.filter((request) => wishes === null || !isPlannedFor(request, wishes));
  const best = [...Map.groupBy(others, ({ routeId }) => routeId).values()].flatMap((route) => {
    const upToTarget = route.filter((request) => tokensOf(request) <= target);
    return upToTarget.length > 0 ? largest(upToTarget) : largest(route, -1);
  });
  return [...wished, ...best];
};

const plannedOf = (mine: readonly Pending[], wishes: Wishes | null): readonly Pending[] =>
  wishes === null
    ? []
    : wishes.ranges
        .filter(({ isPlanned }) => isPlanned)
        .flatMap((wish) =>
          [...Map.groupBy(mine, ({ routeId }) => routeId).values()].flatMap((route) =>
            largest(route.filter((request) => isIn(request, wish, wishes))),
          ),
        );

/** A call under way whose answer is due within the time that its lane takes, and what it reserves beyond usual answers. */
interface Due {
  readonly laneId: string;
  readonly excessTokens: number;
}

/** Of the lane, or of all lanes of its provider where they have tokens in common. */
const comingOf = ({ id, providerId }: Lane, own: readonly Meter[], due: readonly Due[]): number => {
  const isCommon = own.some(({ scope, metric }) => scope === providerId && metric === 'tokens');
  return due
    .filter(({ laneId }) => laneId === id || (isCommon && laneId.startsWith(`${providerId}/`)))
    .reduce((sum, { excessTokens }) => sum + excessTokens, 0);
};

const readDue = async (pool: pg.Pool, nowMs: number): Promise<readonly Due[]> => {
  const { rows } = await pool.query<{
    laneId: string;
    reserved: number;
    usual: number;
    callMs: number;
    begunAtMs: number | null;
  }>(
    `SELECT g.lane_id AS "laneId", g.output_tokens AS reserved, t.completion_tokens::float / t.succeeded AS usual,
       t.mean_call_ms AS "callMs", g.begun_at_ms AS "begunAtMs"
     FROM grants g JOIN lane_total t USING (lane_id) WHERE g.state IN ('granted', 'begun') AND t.succeeded > 0`,
  );
  return rows
    .filter(({ callMs, begunAtMs }) => nowMs - (begunAtMs ?? nowMs) < 2 * callMs)
    .map(({ laneId, reserved, usual }) => ({
      laneId,
      excessTokens: Math.max(0, reserved - Math.ceil(1.25 * usual)),
    }));
};

const largest = (requests: readonly Pending[], sign = 1): readonly Pending[] =>
  requests.toSorted((a, b) => sign * (tokensOf(b) - tokensOf(a)) || b.id - a.id).slice(0, 1);

const tokensOf = ({ promptTokens, capTokens }: Pending): number => promptTokens + capTokens;

/** Whether the second, called now, would keep the first from being called as soon as it could be. */
const putsOff = (meters: readonly Meter[], first: Pending, second: Pending, nowMs: number): boolean => {
  const until = Math.max(...meters.map((meter) => roomAtMs(meter, first, nowMs)));
  return meters.some((meter) =>
    // What a bucket gives from now on is for the one that waits.
    meter.kind === 'refill' && !fits(meter, [first], nowMs)
      ? true
      : meter.kind !== 'concurrency' && !fits(meter, [first, second], until, nowMs),
  );
};

const needOf = ({ metric }: Meter, requests: readonly Pending[]): number =>
  metric === 'tokens' ? requests.reduce((sum, request) => sum + tokensOf(request), 0) : requests.length;

/** How much is in use at an instant, by what is known at `knownAtMs`. */
const usedAt = (meter: Meter, atMs: number, knownAtMs: number): number => {
  const held = meter.uses
    .filter((use) => endOf(meter, use, knownAtMs) > atMs)
    .reduce((sum, { amount }) => sum + amount, 0);
  const drained = ((atMs - meter.drainedAtMs) * meter.amount) / meter.perMs;
  return held + (meter.kind === 'refill' ? Math.max(0, meter.debt - drained) : 0);
};

/** Calls that have not begun are thought to do so now. */
const endOf = (meter: Meter, { endsAtMs }: Use, nowMs: number): number => {
  if (endsAtMs !== null) return endsAtMs;
  const countedByMs = nowMs + meter.marginMs;
  switch (meter.kind) {
    case 'rolling':
      return countedByMs + meter.perMs;
    case 'fixed':
      return countedByMs + meter.perMs - ((countedByMs - meter.anchorMs) % meter.perMs) + meter.marginMs;
    case 'refill':
    case 'concurrency':
      return Infinity;
  }
};

const fits = (meter: Meter, requests: readonly Pending[], atMs: number, knownAtMs = atMs): boolean =>
  usedAt(meter, atMs, knownAtMs) + needOf(meter, requests) <= meter.amount - (meter.debt > 0 ? ROUNDING : 0);

/** The first instant at which it fits; `Infinity` where that hangs on a bucket. */
const roomAtMs = (meter: Meter, request: Pending, nowMs: number): number => {
  if (fits(meter, [request], nowMs)) return nowMs;
  const ends = meter.uses.map((use) => endOf(meter, use, nowMs)).toSorted((a, b) => a - b);
  return ends.find((atMs) => fits(meter, [request], atMs, nowMs)) ?? Infinity;
};

const readPending = async (pool: pg.Pool): Promise<readonly Pending[]> => {
  const { rows } = await pool.query<Pending>(
    `SELECT q.id, q.route_id AS "routeId", ARRAY(SELECT k.id FROM route k WHERE k.batch_id = r.batch_id AND k.pool_name = r.pool_name
         AND EXISTS (SELECT FROM request o WHERE o.route_id = k.id AND o.state = 'pending')) AS "kinIds",
       q.prompt_tokens AS "promptTokens", q.output_tokens AS "capTokens",
       ARRAY(SELECT l FROM unnest(p.lane_ids) AS l WHERE l <> ALL (r.excluded) AND split_part(l, '/', 1) <> ALL (r.excluded)) AS "laneIds"
     FROM request q JOIN route r ON r.id = q.route_id JOIN pool p ON p.batch_id = r.batch_id AND p.name = r.pool_name
     WHERE q.state = 'pending' ORDER BY q.id`,
  );
  return rows;
};

const readClosed = async (pool: pg.Pool, nowMs: number): Promise<readonly string[]> => {
  const { rows } = await pool.query<{ scope: string }>(
    'SELECT scope FROM health WHERE closed_until_ms > $1 UNION ALL SELECT lane_id FROM lane_pause',
    [nowMs],
  );
  return rows.map(({ scope }) => scope);
};

const readMeters = async (pool: pg.Pool): Promise<readonly Meter[]> => {
  const { rows } = await pool.query<Meter>(
    `SELECT l.scope, l.metric, l.window_kind AS kind, l.amount, coalesce(l.per_ms, 1) AS "perMs", coalesce(l.anchor_ms, 0) AS "anchorMs",
       l.margin_ms AS "marginMs", l.debt, l.drained_at_ms AS "drainedAtMs",
       coalesce((SELECT jsonb_agg(jsonb_build_object('amount', u.amount, 'endsAtMs', u.expires_at_ms)) FROM quota_use u WHERE u.limit_id = l.id), '[]') AS uses
     FROM quota_limit l WHERE l.active ORDER BY l.id`,
  );
  return rows;
};
