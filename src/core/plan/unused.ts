/** Providers as a plan sees them before anything of them was used, and before any call has shown how they are. */
import type { Lane, Limit, Provider } from '../model.ts';
import { DEFAULT_TOKEN_RATIO } from '../model.ts';
import { marginMs } from '../quota/window.ts';
import { THOUSANDTHS } from '../quota/unit-cost.ts';
import { UNKNOWN_CALL_MS } from './call-length.ts';
import type { PlanLane, PlanLimit, Situation } from './situation.ts';

/** What of a situation is about those who serve. */
export type Supply = Pick<Situation, 'lanes' | 'providers' | 'limits'>;

/** What these providers offer by what is declared of them, with all their lanes served. */
export const unusedSupply = (providers: readonly Provider[]): Supply => ({
  lanes: providers.flatMap((provider) =>
    provider.lanes.filter(isOffered(provider)).map((lane) => unusedLane(provider, lane)),
  ),
  providers: providers.map(({ id, concurrency }) => ({ id, concurrency })),
  limits: providers.flatMap(({ id, limits, lanes }) => [
    ...limits.map((limit) => unusedLimit(id, limit)),
    ...lanes.flatMap((lane) => lane.limits.map((limit) => unusedLimit(lane.id, limit))),
  ]),
});

/** Nothing is ever granted on a paid lane without a price. */
const isOffered =
  ({ tier }: Provider) =>
  ({ price }: Lane): boolean =>
    tier !== 'paid' || price !== undefined;

/** Calls at once on a lane that somebody serves in full. */
export const declaredSlots = ({ concurrency }: Provider, lane: Lane): number =>
  Math.min(lane.concurrency, concurrency ?? Infinity);

const unusedLane = (provider: Provider, lane: Lane): PlanLane => {
  const { id, providerId, contextTokens, maxOutputTokens, tokenRatio, unitCost, price } = lane;
  const atMost = tokenRatio ?? DEFAULT_TOKEN_RATIO;
  return {
    id,
    providerId,
    contextTokens,
    maxOutputTokens,
    slots: declaredSlots(provider, lane),
    callMs: UNKNOWN_CALL_MS,
    guess: 'untold',
    failureShare: 0,
    tokenRatio: Math.max(1, atMost / DEFAULT_TOKEN_RATIO),
    tokenRatioAtMost: atMost,
    ...(unitCost === undefined ? {} : { unitCost }),
    ...(provider.tier === 'paid' && price !== undefined ? { price } : {}),
    opensAtMs: -Infinity,
  };
};

const unusedLimit = (scope: string, { metric, amount, window }: Limit): PlanLimit => ({
  scope,
  metric,
  window,
  amount: metric === 'units' ? amount * THOUSANDTHS : amount,
  used: 0,
  freeings: [],
  marginMs: marginMs(window),
});
