/** What the product believes is used in a simulated night. The lanes of a provider share a quota. */
import type { Provider } from '../../../src/core/model.ts';
import type { PlanLimit } from '../../../src/core/plan/situation.ts';
import { emptyQuota, type Quota } from '../../../src/core/quota/quota.ts';
import { marginMs } from '../../../src/core/quota/window.ts';

/** Quotas by provider. */
export interface QuotaBook {
  of(providerId: string): Quota;
  put(providerId: string, quota: Quota): void;
  /** Every limit as a plan wants to know it. */
  limitsAt(nowMs: number): readonly PlanLimit[];
}

/** Nothing is used of any of them. */
export const openQuotaBook = (providers: readonly Provider[]): QuotaBook => {
  const quotas = new Map(providers.map((provider) => [provider.id, unused(provider)]));
  return {
    of: (providerId) => quotas.get(providerId) ?? emptyQuota([]),
    put: (providerId, quota) => void quotas.set(providerId, quota),
    limitsAt: (nowMs) => [...quotas.values()].flatMap((quota) => limitsOf(quota, nowMs)),
  };
};

const unused = ({ id, limits, concurrency, lanes }: Provider): Quota =>
  emptyQuota([
    { id, limits, concurrency },
    ...lanes.map((lane) => ({
      id: lane.id,
      limits: lane.limits,
      concurrency: lane.concurrency,
      ...(lane.unitCost === undefined ? {} : { unitCost: lane.unitCost }),
    })),
  ]);

const limitsOf = ({ meters }: Quota, nowMs: number): readonly PlanLimit[] =>
  meters.flatMap(({ limit, scope, uses, debt }): readonly PlanLimit[] => {
    if (limit.metric === 'calls') return [];
    const counted = [...uses.values()].filter(({ endsAtMs }) => endsAtMs === null || endsAtMs > nowMs);
    return [
      {
        scope,
        metric: limit.metric,
        window: limit.window,
        amount: limit.amount,
        used: counted.reduce((sum, { amount }) => sum + amount, 0) + debt,
        freeings: counted
          .flatMap(({ endsAtMs, amount }) => (endsAtMs === null ? [] : [{ atMs: endsAtMs, amount }]))
          .toSorted((a, b) => a.atMs - b.atMs),
        marginMs: marginMs(limit.window),
      },
    ];
  });
