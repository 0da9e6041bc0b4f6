/**
 * What a plan is made from: what waits, what may serve it, and what every limit has left. Counts and sums only, so
 * that a backlog of a million lines is as small here as one of a thousand. All tokens of requests are as counted at
 * ingest; a lane's own tokenizer makes `tokenRatio` of each.
 */
import type { Metric, Price, UnitCost, Window } from '../model.ts';

/** Requests that wait and that a dispatcher can ask for as one range of the backlog's index. */
export interface BacklogCell {
  /** Requests of one batch with the same lanes open to them. */
  readonly routeId: number;
  /** The line named its own bound of the answer; otherwise it is our cap. */
  readonly outputIsAsked: boolean;
  /** The bound of the answer. */
  readonly capTokens: number;
  /** Prompts of the cell are in [fromTokens, toTokens], and so may be those that come later. */
  readonly fromTokens: number;
  readonly toTokens: number;
  /** The largest prompt that is there. */
  readonly largestTokens: number;
  readonly count: number;
  /** Of all prompts together. */
  readonly promptTokens: number;
}

/** Where requests may go. */
export interface PlanRoute {
  readonly id: number;
  readonly batchId: number;
  /** Higher goes first. */
  readonly priority: number;
  /** In the user's order of preference; excluded ones are left out. */
  readonly laneIds: readonly string[];
  /** The same with those that failed what waits here and are left to others for some minutes. Missing: the same. */
  readonly laneIdsSoon?: readonly string[];
  /** Its batch has a budget, of which so much is left. */
  readonly pays?: {
    /** It may pay for what lanes that cost nothing leave undone by then; `null`: for what they can never do. */
    readonly deadlineAtMs: number | null;
    readonly leftNanoDollars: number;
  };
  /** Its batch has a deadline and no budget: what is not done by then expires. Missing: nothing does. */
  readonly expiresAtMs?: number;
  /** What waits in it was counted so long before, in real ms. Missing: just now. */
  readonly countedBeforeMs?: number;
}

/** What answers to prompts of one size came to, lately. */
export interface AnswerTally {
  readonly batchId: number;
  /** See `bandOf`. */
  readonly band: number;
  readonly answers: number;
  /** Of all of them together. */
  readonly tokens: number;
}

/** A lane as a plan sees it. */
export interface PlanLane {
  readonly id: string;
  readonly providerId: string;
  /** Calls at once: its own bound, its provider's, and what live workers offer. */
  readonly slots: number;
  /** Where no worker makes calls on it now, but one did a moment ago: the calls at once that it would have. */
  readonly awaySlots?: number;
  /** How long a call takes. */
  readonly callMs: number;
  /** That is a guess, since no call has shown it; of `awaited` one is under way and may any moment. Missing: it was shown. */
  readonly guess?: 'awaited' | 'untold';
  /** Share of calls that come to nothing, from 0 to below 1. */
  readonly failureShare: number;
  /** Its own tokens per token counted at ingest, on average. */
  readonly tokenRatio: number;
  /** The same at most: what is reserved. */
  readonly tokenRatioAtMost: number;
  readonly contextTokens: number;
  readonly maxOutputTokens: number;
  readonly unitCost?: UnitCost;
  /** Calls on it cost money. Missing: nothing. */
  readonly price?: Price;
  /** Nothing runs on it before; in the past where it is open. `Infinity`: only a person can open it. */
  readonly opensAtMs: number;
}

/** Some of what a limit counts ends. */
export interface Freeing {
  readonly atMs: number;
  readonly amount: number;
}

/** A limit of a lane or a provider as it stands. Of `units` all amounts are in thousandths. */
export interface PlanLimit {
  /** Lane id or provider id. */
  readonly scope: string;
  readonly metric: Metric;
  readonly window: Window;
  readonly amount: number;
  /** Counted now. */
  readonly used: number;
  /** What it was before refusals lowered it, and will be again before long if they were wrong. Missing: the same. */
  readonly declared?: number;
  /** When what is counted ends, in order; what is missing has no known end yet. Empty for token buckets. */
  readonly freeings: readonly Freeing[];
  /** By how much a window is stretched for the way to the provider. */
  readonly marginMs: number;
}

/** A bound on calls at once over all lanes of a provider. */
export interface PlanProvider {
  readonly id: string;
  /** `null` for none of its own. */
  readonly concurrency: number | null;
}

/** Everything a plan is made from. */
export interface Situation {
  readonly nowMs: number;
  readonly cells: readonly BacklogCell[];
  readonly routes: readonly PlanRoute[];
  readonly answers: readonly AnswerTally[];
  readonly lanes: readonly PlanLane[];
  readonly providers: readonly PlanProvider[];
  readonly limits: readonly PlanLimit[];
}
