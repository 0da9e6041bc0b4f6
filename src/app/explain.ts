/** What happened to one line of a batch, and what it waits for. The reading is a port; the judgement is here, pure. */
import type { Lane, Provider } from '../core/model.ts';
import { canEverServe } from '../core/matching.ts';
import { THOUSANDTHS, thousandthsOf } from '../core/quota/unit-cost.ts';
import type { LaneProgress, LimitUse } from './progress.ts';

/** One grant of a request: an attempt once it is closed. */
export interface AttemptStory {
  readonly laneId: string;
  readonly providerId: string;
  readonly state: 'granted' | 'begun' | 'closed';
  readonly grantedAtMs: number;
  readonly begunAtMs: number | null;
  readonly closedAtMs: number | null;
  /** `succeeded`, a failure kind, `lost` or `released`; `null` while it is open. */
  readonly outcome: string | null;
  readonly reason: string | null;
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
}

/** Everything the record holds of one line, but for its text. */
export interface LineStory {
  readonly atMs: number;
  readonly lineNumber: number;
  readonly customId: string | null;
  readonly state: 'pending' | 'granted' | 'parked' | 'succeeded' | 'failed' | 'cancelled' | 'expired' | 'bad';
  /** The name it is routed by; `null` for a bad line. */
  readonly poolName: string | null;
  readonly laneIds: readonly string[];
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly outputIsAsked: boolean;
  readonly tries: number;
  /** Lanes and providers that can never serve it. */
  readonly excluded: readonly string[];
  /** Lanes and providers it stays away from until `dueAtMs`. */
  readonly avoided: readonly string[];
  readonly dueAtMs: number | null;
  /** In the order they were granted. */
  readonly attempts: readonly AttemptStory[];
  /** The finished line; `null` while there is none. */
  readonly finalLine: string | null;
  /** Lines of the same batch with the same custom id that were refused as duplicates. */
  readonly duplicateLineNumbers: readonly number[];
  /** Live processes that make calls on at least one of its lanes. */
  readonly workers: number;
}

/** What one lane did for a batch. */
export interface LaneTotal {
  readonly laneId: string;
  readonly calls: number;
  readonly succeeded: number;
  /** Refused for quota. */
  readonly rejected: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
}

/** Reads what happened, without changing anything. */
export interface ExplainReader {
  /** The line of that custom id (or `line 17`'s id for lines without one); `null` where the batch has none. */
  line(batchId: number, customId: string): Promise<LineStory | null>;
  /** Custom ids that sort near one that is not there, for a suggestion. */
  customIdsNear(batchId: number, customId: string): Promise<readonly string[]>;
  /** The names of all batches, latest first. */
  batchNames(): Promise<readonly string[]>;
  /** What each lane did for the batch; lanes that did nothing are missing. Reads every attempt of the batch. */
  laneTotals(batchId: number): Promise<readonly LaneTotal[]>;
  /** What keeps the record, such as `18.4`. */
  serverVersion(): Promise<string>;
}

/** Why a lane does not serve a request at this moment. */
export type Obstacle =
  /** It was in the request's pool, and is not in the configuration any more. */
  | { readonly kind: 'not-configured' }
  /** `attempt` is the one that ruled it out, by its place from 1; `null` where it was not recorded. */
  | { readonly kind: 'excluded'; readonly attempt: number | null; readonly reason: string | null }
  | { readonly kind: 'too-small' }
  | { readonly kind: 'avoided'; readonly untilMs: number | null; readonly attempt: number | null }
  | {
      readonly kind: 'closed';
      readonly untilMs: number;
      readonly reason: string;
      readonly needsUser: boolean;
    }
  /** `untilMs` is when it is worth looking again; `null` where that hangs on calls under way. */
  | {
      readonly kind: 'no-quota';
      readonly limit: LimitUse;
      readonly needed: number;
      readonly untilMs: number | null;
    }
  | { readonly kind: 'all-slots-taken'; readonly callsUnderWay: number }
  /** It costs money: only what the plan pays for goes there, and as far as the budget goes. */
  | { readonly kind: 'costs-money' }
  /** It could: others are ahead, nobody is at work, or it is not the batch's hour. */
  | { readonly kind: 'none' };

/** A lane as the configuration and the record have it. */
export interface LaneAtHand {
  readonly lane: Lane;
  readonly provider: Provider;
  readonly progress: LaneProgress;
}

/** What stands between a request that waits and a lane; the lasting reasons first. `undefined`: not configured. */
export function obstacleOf(story: LineStory, laneId: string, atHand: LaneAtHand | undefined): Obstacle {
  if (atHand === undefined) return { kind: 'not-configured' };
  const { lane, provider, progress } = atHand;
  const scopes = [laneId, lane.providerId];
  const attempt = lastAttemptOn(story, scopes);
  if (scopes.some((scope) => story.excluded.includes(scope))) {
    return { kind: 'excluded', attempt, reason: attemptReason(story, attempt) };
  }
  if (!canEverServe(provider, lane, story)) return { kind: 'too-small' };
  if (scopes.some((scope) => story.avoided.includes(scope)))
    return { kind: 'avoided', untilMs: story.dueAtMs, attempt };
  const passing = passingObstacle(story, atHand.lane, progress);
  return passing.kind === 'none' && provider.tier === 'paid' ? { kind: 'costs-money' } : passing;
}

function passingObstacle(story: LineStory, lane: Lane, progress: LaneProgress): Obstacle {
  const { closing, callsUnderWay } = progress;
  if (closing !== null) {
    const { untilMs, reason, needsUser } = closing;
    return { kind: 'closed', untilMs, reason, needsUser };
  }
  const short = progress.limits
    .map((limit) => shortage(limit, story, lane))
    .filter((found) => found !== null);
  const worst = short.toSorted((a, b) => (b.untilMs ?? Infinity) - (a.untilMs ?? Infinity))[0];
  if (worst !== undefined) return { kind: 'no-quota', ...worst };
  return callsUnderWay >= lane.concurrency ? { kind: 'all-slots-taken', callsUnderWay } : { kind: 'none' };
}

function shortage(limit: LimitUse, story: LineStory, lane: Lane) {
  const needed = neededOf(limit, story, lane);
  const missing = needed - (limit.amount - limit.used);
  if (missing <= 0) return null;
  const drainsAtMs =
    limit.perMs === null ? null : story.atMs + Math.ceil((missing * limit.perMs) / limit.amount);
  return { limit, needed, untilMs: limit.windowKind === 'refill' ? drainsAtMs : limit.freesAtMs };
}

function neededOf({ metric }: LimitUse, { promptTokens, outputTokens }: LineStory, lane: Lane): number {
  const output = Math.min(outputTokens, lane.maxOutputTokens);
  switch (metric) {
    case 'requests':
      return 1;
    case 'tokens':
      return promptTokens + output;
    case 'inputTokens':
      return promptTokens;
    case 'outputTokens':
      return output;
    case 'units':
      return thousandthsOf(lane.unitCost, { promptTokens, outputTokens: output }) / THOUSANDTHS;
  }
}

/** The place, from 1, of the last failed attempt on one of the scopes. */
function lastAttemptOn({ attempts }: LineStory, scopes: readonly string[]): number | null {
  const index = attempts.findLastIndex(
    ({ laneId, providerId, outcome }) =>
      (scopes.includes(laneId) || scopes.includes(providerId)) && outcome !== null && outcome !== 'released',
  );
  return index === -1 ? null : index + 1;
}

function attemptReason({ attempts }: LineStory, attempt: number | null): string | null {
  const found = attempt === null ? undefined : attempts[attempt - 1];
  return found?.reason ?? found?.outcome ?? null;
}
