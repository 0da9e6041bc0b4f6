/** What a failure amounts to, given what went before: the rows of the policy table in next-step.ts. */
import type { BadRequest, Failure, Sick, UselessAnswer } from './failure.ts';

/** What went before and what the lane allows, as far as the policy asks. */
export interface RequestHistory {
  /** Tries spent before this attempt. */
  readonly triesBefore: number;
  /** Earlier attempts at other providers that ended as `bad-request`. */
  readonly badRequestsBefore: number;
  /** Earlier attempts that ended as `sick` or `unreachable`: the exponent of the back-off. */
  readonly sickBefore: number;
  /** The call was to find out whether a sick lane works again. */
  readonly isTrial: boolean;
  /** Parameters already left out for this request. */
  readonly droppedParameters: readonly string[];
  /** The output cap that was sent, and the largest that the lane takes. */
  readonly capTokens: number;
  readonly laneMaxOutputTokens: number;
}

/** The cases that the policy tells apart: the kinds of failure, four of them split. */
export type Situation =
  | Exclude<Failure['kind'], 'sick' | 'useless-answer'>
  | 'too-many-at-once'
  | 'refused-parameter'
  | 'bad-request-again'
  | 'sick-idle'
  | 'sick-worked'
  | 'sick-cut-off'
  | 'answer-empty'
  | 'answer-cut-by-us'
  | 'answer-useless';

/** The situation that a failure makes for a request with this history. */
export function situationOf(failure: Failure, history: RequestHistory): Situation {
  if (failure.kind === 'sick') return sickSituation(failure);
  if (failure.kind === 'minute-limit' && failure.isConcurrency === true) return 'too-many-at-once';
  if (failure.kind === 'bad-request') return badRequestSituation(failure, history);
  if (failure.kind === 'useless-answer') return uselessSituation(failure, history);
  return failure.kind;
}

function sickSituation({ mayHaveWorked, isCutOff }: Sick): Situation {
  if (!mayHaveWorked) return 'sick-idle';
  return isCutOff === true ? 'sick-cut-off' : 'sick-worked';
}

function badRequestSituation({ parameter }: BadRequest, history: RequestHistory): Situation {
  if (canDrop(parameter, history)) return 'refused-parameter';
  return history.badRequestsBefore > 0 ? 'bad-request-again' : 'bad-request';
}

function uselessSituation({ flaw }: UselessAnswer, history: RequestHistory): Situation {
  if (flaw === 'empty') return 'answer-empty';
  return flaw === 'truncated-by-our-cap' && canRaiseCap(history) ? 'answer-cut-by-us' : 'answer-useless';
}

/** Hints to the sampler and to bookkeeping: an answer without them still is the answer that was asked for. */
const DROPPABLE_PARAMETERS: ReadonlySet<string> = new Set([
  'frequency_penalty',
  'logit_bias',
  'logprobs',
  'metadata',
  'min_p',
  'parallel_tool_calls',
  'presence_penalty',
  'reasoning_effort',
  'repetition_penalty',
  'seed',
  'service_tier',
  'store',
  'temperature',
  'top_k',
  'top_logprobs',
  'top_p',
  'user',
  'verbosity',
]);

/** Each parameter is dropped once; one that is refused although it was dropped is an ordinary bad request. */
function canDrop(parameter: string | null, { droppedParameters }: RequestHistory): boolean {
  return parameter !== null && DROPPABLE_PARAMETERS.has(parameter) && !droppedParameters.includes(parameter);
}

function canRaiseCap({ capTokens, laneMaxOutputTokens }: RequestHistory): boolean {
  return capTokens < laneMaxOutputTokens;
}
