/**
 * What follows from a failure: for its request, for its lane, and for the quota that was reserved.
 *
 * The policy is the one table below (architecture, section 3). A try is spent only where a provider may have worked;
 * limits, lost keys and lanes that are down cost a request nothing but time, so it outlives a provider's bad night.
 */
import { backOffMs } from './back-off.ts';
import type { Failure } from './failure.ts';
import { type EffectName, laneEffect, type LaneEffect } from './lane-effect.ts';
import { type RequestHistory, type Situation, situationOf } from './situation.ts';

/**
 * What is settled of a reservation: the real usage, the estimate, the request with its prompt and no answer, the request
 * without its tokens, or nothing.
 */
export type Settlement = 'usage' | 'estimate' | 'prompt' | 'request' | 'release';

/**
 * What a request may not be offered to again: this lane; this and every lane no larger than it, or than the bound that it
 * named; every lane of the provider.
 */
export type Exclusion = 'lane' | 'lanes-this-small' | 'provider';

/** What happens to the request. */
export type RequestStep =
  | {
      readonly kind: 'elsewhere';
      /** `null`: any lane that is open will do, this one included. */
      readonly exclude: Exclusion | null;
      /** `null` with an exclusion: for good. Otherwise it holds until then, and other lanes are preferred. */
      readonly backAtMs: number | null;
    }
  | { readonly kind: 'retry-larger-cap'; readonly capTokens: number }
  | { readonly kind: 'retry-without-parameter'; readonly parameter: string }
  | { readonly kind: 'fail' };

/** Everything that follows from one failure. */
export interface NextStep {
  readonly request: RequestStep;
  readonly countsAsTry: boolean;
  readonly effect: LaneEffect;
  readonly settlement: Settlement;
}

/** Tries a request has unless its batch says otherwise. */
export const DEFAULT_TRY_LIMIT = 4;

/** What the policy is applied with: the instant, chance, and the batch's try limit (4 unless said). */
export interface StepContext {
  readonly nowMs: number;
  /** In [0, 1). */
  readonly random01: number;
  readonly tryLimit?: number;
}

/** One row: the request's way, whom it then avoids and for how long, whether a try is spent, the lane, the quota. */
type Policy = readonly [
  request: 'elsewhere' | 'larger-cap' | 'without-parameter' | 'fail',
  exclude: Exclusion | null,
  howLong: 'for good' | 'back-off' | '-',
  tries: 'try' | 'no try',
  effect: EffectName,
  settlement: Settlement,
];

// prettier-ignore
const POLICY: Readonly<Record<Situation, Policy>> = {
  'minute-limit':      ['elsewhere',         null,               '-',        'no try', 'wait',           'request'],
  'too-many-at-once':  ['elsewhere',         null,               '-',        'no try', 'wait-briefly',   'request'],
  'day-limit':         ['elsewhere',         null,               '-',        'no try', 'close',          'request'],
  'no-money':          ['elsewhere',         null,               '-',        'no try', 'close-for-user', 'request'],
  'bad-key':           ['elsewhere',         null,               '-',        'no try', 'close-for-user', 'request'],
  'forbidden':         ['elsewhere',         'provider',         'for good', 'no try', 'none',           'request'],
  'too-large':         ['elsewhere',         'lanes-this-small', 'for good', 'no try', 'none',           'request'],
  'refused-parameter': ['without-parameter', null,               '-',        'no try', 'none',           'request'],
  'bad-request':       ['elsewhere',         'lane',             'for good', 'try',    'none',           'request'],
  'bad-request-again': ['fail',              null,               '-',        'try',    'none',           'request'],
  'gone':              ['elsewhere',         'lane',             'for good', 'no try', 'retire',         'request'],
  'sick-idle':         ['elsewhere',         'lane',             'back-off', 'no try', 'trip',           'prompt'],
  'sick-worked':       ['elsewhere',         'lane',             'back-off', 'try',    'trip',           'prompt'],
  'sick-cut-off':      ['elsewhere',         'lane',             'back-off', 'try',    'trip',           'estimate'],
  'unreachable':       ['elsewhere',         'provider',         'back-off', 'no try', 'trip-provider',  'release'],
  'answer-empty':      ['elsewhere',         'lane',             'for good', 'try',    'trip',           'usage'],
  'answer-cut-by-us':  ['larger-cap',        null,               '-',        'try',    'none',           'usage'],
  'answer-useless':    ['elsewhere',         'lane',             'for good', 'try',    'none',           'usage'],
  'aborted':           ['elsewhere',         null,               '-',        'no try', 'none',           'estimate'],
  'unknown':           ['elsewhere',         'lane',             'for good', 'try',    'trip',           'estimate'],
};

/** What follows from a failure. Total: every failure has a step, and a request whose tries are spent fails. */
export function nextStep(failure: Failure, history: RequestHistory, context: StepContext): NextStep {
  const situation = situationOf(failure, history);
  const [request, exclude, howLong, tries, effect, settlement] = POLICY[situation];
  const countsAsTry = tries === 'try' && !isLanesFault(situation, history);
  const isSpent = countsAsTry && history.triesBefore + 1 >= (context.tryLimit ?? DEFAULT_TRY_LIMIT);
  const backAtMs = howLong === 'back-off' ? backInstant(failure, history, context) : null;
  return {
    request: isSpent ? { kind: 'fail' } : requestStep(request, { exclude, backAtMs, failure, history }),
    countsAsTry,
    effect: laneEffect(effect, failure, context.nowMs),
    settlement: settlement === 'usage' && !hasUsage(failure) ? 'estimate' : settlement,
  };
}

/** Beyond so many the request may be what makes its lanes sick. */
const MOST_FREE_TRIALS = 16;

/** A lane that was known to be sick, and still is, says nothing of the request that it was tried with. */
const isLanesFault = (situation: Situation, { isTrial, sickBefore }: RequestHistory): boolean =>
  (situation === 'sick-worked' || situation === 'sick-cut-off') && isTrial && sickBefore < MOST_FREE_TRIALS;

/** Reasoning is what mostly fills a cap, and doubling would cut it off again. */
const CAP_GROWTH = 4;

interface RequestFacts {
  readonly exclude: Exclusion | null;
  readonly backAtMs: number | null;
  readonly failure: Failure;
  readonly history: RequestHistory;
}

function requestStep(request: Policy[0], { exclude, backAtMs, failure, history }: RequestFacts): RequestStep {
  if (request === 'fail') return { kind: 'fail' };
  if (request === 'larger-cap') {
    const capTokens = Math.min(history.capTokens * CAP_GROWTH, history.laneMaxOutputTokens);
    return { kind: 'retry-larger-cap', capTokens };
  }
  if (request === 'without-parameter' && failure.kind === 'bad-request' && failure.parameter !== null) {
    return { kind: 'retry-without-parameter', parameter: failure.parameter };
  }
  return { kind: 'elsewhere', exclude, backAtMs };
}

/** The back-off, or later if the provider said so; at most an hour, since sick providers are poor prophets. */
function backInstant(
  failure: Failure,
  { sickBefore }: RequestHistory,
  { nowMs, random01 }: StepContext,
): number {
  const saidAtMs = failure.kind === 'sick' ? (failure.retryAtMs ?? nowMs) : nowMs;
  return Math.max(nowMs + backOffMs(sickBefore, random01), Math.min(saidAtMs, nowMs + HOUR_MS));
}

const HOUR_MS = 3_600_000;

function hasUsage(failure: Failure): boolean {
  return failure.kind === 'useless-answer' && failure.usage !== null;
}
