/** Grants and the quota they are paid with: what a dispatcher asks for, what a worker is given, and what it tells. */
import type { NamedLimit, Scope } from '../core/failures/failure.ts';
import type { Settlement } from '../core/failures/next-step.ts';
import type { Lane, TokenUsage } from '../core/model.ts';
import type { Wish } from '../core/plan/wish-list.ts';
import type { Standing } from '../core/quota/standing.ts';

/** One lane as the dispatcher asks for grants on it. */
export interface GrantOrder {
  readonly lane: Lane;
  /** The size of call that the lane would rather make than any other, in tokens; see core/matching.ts. */
  readonly targetTokens: number;
  /** What the plan of the night says belongs there; `null` while there is no plan: then the lane takes what suits it. */
  readonly wishes: Wishes | null;
  /** At most this many grants; free call slots of live workers bound them too. */
  readonly atMost: number;
}

/** What a lane asks for by the plan. */
export interface Wishes {
  /** The most wanted first. */
  readonly ranges: readonly Wish[];
  /** Routes that the plan knows: of these nothing is taken but by a wish. */
  readonly plannedRouteIds: readonly number[];
}

/** Grants that one job runs one after the other in one call slot; ids ascending, never empty. */
export type Slice = readonly number[];

/** What came of a {@link GrantOrder}. */
export interface Granted {
  /** Empty if there was no room or no work. */
  readonly slices: readonly Slice[];
  /** For each grant the place of the range it is from, in {@link Wishes}; `null` where it is from none. */
  readonly wishPlaces: readonly (number | null)[];
  /** Why there are not more; empty if `atMost` was reached. */
  readonly stoppedBy: '' | 'paused' | 'closed' | 'no-slot' | 'no-room' | 'no-work';
  /** When it is worth asking again; `null` if only an event can change the answer. */
  readonly wakeAtMs: number | null;
}

/** An earlier attempt at a request, for decisions and for the provenance of its final line. */
export interface PastAttempt {
  readonly lane: string;
  readonly outcome: string;
  readonly reason: string | null;
  readonly begunAtMs: number | null;
  readonly durationMs: number | null;
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
  /** Somebody has retried the request since: told in the provenance, not held against it. */
  readonly isBeforeRetry: boolean;
}

/** A call that may be made now: it is counted from here on, whatever becomes of it. */
export interface BegunCall {
  readonly grantId: number;
  readonly requestId: number;
  readonly laneId: string;
  readonly begunAtMs: number;
  /** Reserved for the prompt and for the answer, the latter cut to what this lane can give. */
  readonly promptTokens: number;
  readonly outputTokens: number;
  /** The line named its own output bound; otherwise `outputTokens` is our cap. */
  readonly outputIsAsked: boolean;
  /** What another lane would reserve for the answer, if it can give as much. */
  readonly mostOutputTokens: number;
  readonly customId: string;
  /** The input line as it came. */
  readonly line: string;
  /** The batch's task as it was stored, or `null` for OpenAI batch lines. */
  readonly task: unknown;
  readonly tries: number;
  readonly excluded: readonly string[];
  readonly avoided: readonly string[];
  readonly droppedParameters: readonly string[];
  /** The lanes of the request's pool, by its batch's configuration; this process may not know them all. */
  readonly poolLaneIds: readonly string[];
  readonly trail: readonly PastAttempt[];
  /** How long it is waited for, by how long calls of its lane take, in ms; `null` while too few have shown that. */
  readonly patienceMs: number | null;
  /** It goes beyond a limit that evidence lowered, to see whether there is more by now. */
  readonly isProbe: boolean;
  /** The lane's circuit breaker is half open: the call finds out whether the lane works again. */
  readonly isTrial: boolean;
}

/** What is known of a call's request that decides what becomes of it when the call fails. */
export type RequestPast = Pick<BegunCall, 'tries' | 'excluded' | 'avoided' | 'droppedParameters' | 'trail'>;

/** What a provider's answer says of its limits. */
export interface ToldLimits {
  readonly standings: readonly Standing[];
  /** A refusal for want of quota; `null` for any other answer. */
  readonly refusal: LimitRefusal | null;
}

/** A refusal for want of quota. */
export interface LimitRefusal extends NamedLimit {
  readonly scope: Scope;
  /** Whether it speaks of a day or longer. */
  readonly isLong: boolean;
  /** Whether it speaks of calls at once. */
  readonly isConcurrency: boolean;
}

/** What became of a begun call and what follows for its request. */
export interface FinishedCall {
  readonly grantId: number;
  readonly outcome: string;
  readonly reason: string | null;
  readonly usage: TokenUsage | null;
  /** When it was made; a worker that was held up makes it later than it began. `null` if it was never made. */
  readonly sentAtMs: number | null;
  /** From the call to its answer; `null` if it was never made. */
  readonly durationMs: number | null;
  readonly settlement: Settlement;
  readonly countsAsTry: boolean;
  readonly next:
    | { readonly kind: 'succeeded' | 'failed'; readonly line: string }
    | { readonly kind: 'pending'; readonly avoidUntilMs: number | null }
    | { readonly kind: 'parked'; readonly untilMs: number };
  readonly excluded: readonly string[];
  readonly avoided: readonly string[];
  readonly droppedParameters: readonly string[];
  /** A larger bound of the answer for the next attempt; `null`: as before. */
  readonly outputCapTokens: number | null;
  /** `null` where the answer says nothing of limits. */
  readonly told: ToldLimits | null;
}

/** The record will not take this, however often it is told; unlike one that is away for a moment. */
export class RecordRefused extends Error {
  override readonly name = 'RecordRefused';
}

/** Grants and the quota they are paid with. Every method is one atomic change of the record. */
export interface GrantLedger {
  /** Takes quota and claims requests; see `grant_requests` in the record. */
  grant(order: GrantOrder): Promise<Granted>;
  /** Begins calls; grants that may not begin any more are missing from the answer. */
  begin(grantIds: readonly number[], workerId: number): Promise<readonly BegunCall[]>;
  /** Of the request of a call, as it is by now: another call of it may have failed since. `null`: its batch was removed. */
  pastOf(grantId: number): Promise<RequestPast | null>;
  /** Stores outcomes, settles quota and moves the requests on; fenced by the grant. */
  finish(calls: readonly FinishedCall[]): Promise<void>;
  /** Those of these calls whose requests have their final line already: another call was quicker. */
  superseded(grantIds: readonly number[]): Promise<readonly number[]>;
  /** Cleans up after dead processes and wakes what is due. */
  sweep(): Promise<Swept>;
  /** Forgets, and answers, the lanes that had a queue and are neither wanted nor served any more. */
  forgetUnusedQueues(): Promise<readonly string[]>;
}

/** What a sweep found. */
export interface Swept {
  /** Granted 2 s ago or more and not begun: their jobs may be lost. */
  readonly missingJobs: readonly { readonly laneId: string; readonly slice: Slice }[];
  /** When the next parked request falls due, or the next deadline comes. */
  readonly nextDueAtMs: number | null;
}
