/**
 * Which size of request suits a lane. A first, local answer: it looks at one lane and not at the night as a whole.
 */
import type { Lane, Limit, Metric, Provider } from './model.ts';
import { windowMs } from './quota/window.ts';
import { THOUSANDTHS, thousandthsOf } from './quota/unit-cost.ts';

/** No lane takes larger calls than this, in tokens; stands for "as large as there are". */
const LARGEST_TARGET_TOKENS = 1_000_000_000;

/**
 * The size of call, in tokens, that uses up a lane's requests and tokens together: with smaller ones requests run
 * out while tokens are left, with larger ones the other way round. Lanes that limit only tokens would rather make
 * the smallest calls (0), lanes that limit only requests, or nothing, the largest. On paid lanes money is what is scarce: the
 * smallest calls make the most of a budget.
 */
export const targetTokens = (provider: Provider, lane: Lane): number => {
  if (provider.tier === 'paid') return 0;
  const limits = [...provider.limits, ...lane.limits];
  const tokensPerMs = scarcest(limits, ['tokens', 'inputTokens']);
  const requestsPerMs = scarcest(limits, ['requests']);
  if (tokensPerMs === null) return LARGEST_TARGET_TOKENS;
  if (requestsPerMs === null) return 0;
  return Math.min(LARGEST_TARGET_TOKENS, Math.floor(tokensPerMs / requestsPerMs));
};

/** The largest call a lane can ever make, in tokens: its context, and every token window at its full size. */
export const largestCallTokens = (provider: Provider, lane: Lane): number => {
  const limits = [...provider.limits, ...lane.limits];
  const withInput = amounts(limits, 'inputTokens').map((amount) => amount + lane.maxOutputTokens);
  return Math.min(lane.contextTokens, ...amounts(limits, 'tokens'), ...withInput);
};

/** Whether a lane can ever serve a request of this size; see {@link largestCallTokens}. */
export const canEverServe = (
  provider: Provider,
  lane: Lane,
  need: { readonly promptTokens: number; readonly outputTokens: number; readonly outputIsAsked: boolean },
): boolean => {
  const limits = [...provider.limits, ...lane.limits];
  const outputTokens = Math.min(need.outputTokens, lane.maxOutputTokens);
  return (
    !(need.outputIsAsked && need.outputTokens > lane.maxOutputTokens) &&
    need.promptTokens + outputTokens <= largestCallTokens(provider, lane) &&
    need.promptTokens <= Math.min(...amounts(limits, 'inputTokens')) &&
    outputTokens <= Math.min(...amounts(limits, 'outputTokens')) &&
    thousandthsOf(lane.unitCost, { promptTokens: need.promptTokens, outputTokens }) <=
      Math.min(...amounts(limits, 'units')) * THOUSANDTHS
  );
};

const amounts = (limits: readonly Limit[], metric: Metric): number[] =>
  limits.filter((limit) => limit.metric === metric).map((limit) => limit.amount);

/** The lowest long-run rate among the limits on these metrics, per millisecond; `null` without any. */
const scarcest = (limits: readonly Limit[], metrics: readonly Metric[]): number | null => {
  const rates = limits
    .filter((limit) => metrics.includes(limit.metric))
    .map((limit) => limit.amount / windowMs(limit.window));
  return rates.length === 0 ? null : Math.min(...rates);
};
