/** The pure quota of core, driven through the words of the suite. */
import {
  type Quota,
  allowForStep,
  begin,
  emptyQuota,
  inUse,
  lose,
  reserve,
  settle,
} from '../../src/core/quota/quota.ts';
import { type QuotaUnderTest, limitName } from './quota-under-test.ts';

interface OpenGrant {
  readonly grantedAtMs: number;
  readonly isBegun: boolean;
}

/** A {@link QuotaUnderTest}; `begin` may be told another instant than now, as the record rounds up. */
export interface PureQuota extends QuotaUnderTest {
  begin(grant: number, atMs?: number): Promise<number | null>;
}

/** Opens it, without limits until it is reset. */
export const openPureQuota = (): PureQuota => {
  let quota: Quota = emptyQuota([]);
  let nowMs = 0;
  const open = new Map<number, OpenGrant>();

  const expireOld = (): void => {
    for (const [grant, { grantedAtMs, isBegun }] of open) {
      if (isBegun || grantedAtMs >= nowMs) continue;
      quota = settle(quota, grant, { kind: 'release' }, nowMs);
      open.delete(grant);
    }
  };

  return {
    async reset(scopes, atMs) {
      quota = emptyQuota(scopes);
      nowMs = atMs;
      open.clear();
    },
    async setClock(atMs) {
      nowMs = atMs;
    },
    async stepClock(byMs) {
      nowMs += byMs;
      quota = allowForStep(quota, byMs);
      for (const [grant, { grantedAtMs, isBegun }] of open)
        open.set(grant, { grantedAtMs: grantedAtMs + byMs, isBegun });
    },
    async reserve(scopes, need) {
      const answer = reserve(quota, scopes, need, nowMs);
      if (answer.kind === 'refused') return answer;
      quota = answer.quota;
      open.set(answer.grant, { grantedAtMs: nowMs, isBegun: false });
      return { kind: 'granted', grant: answer.grant };
    },
    async begin(grant, atMs = nowMs) {
      const begun = begin(quota, grant, atMs);
      if (begun === null) open.delete(grant);
      else open.set(grant, { grantedAtMs: nowMs, isBegun: true });
      quota = begun ?? settle(quota, grant, { kind: 'release' }, nowMs);
      return begun === null ? null : atMs;
    },
    async settle(grant, settlement, sentAtMs) {
      quota = settle(quota, grant, settlement, nowMs, sentAtMs ?? undefined);
      open.delete(grant);
    },
    async crash() {
      expireOld();
      for (const [grant, { isBegun }] of open) {
        if (!isBegun) continue;
        quota = lose(quota, grant, nowMs);
        open.delete(grant);
      }
    },
    async expire() {
      expireOld();
    },
    async inUse() {
      return new Map(
        inUse(quota, nowMs).map(({ scope, limit, amount }) => [
          limitName(scope, limit.metric, { ...limit.window }),
          amount,
        ]),
      );
    },
    async audit() {
      const overdrawn = inUse(quota, nowMs).filter(
        ({ limit, amount }) => amount < 0 || amount > limit.amount + 1e-6,
      );
      if (overdrawn.length > 0)
        throw new Error(`Expected uses within their limits, got ${JSON.stringify(overdrawn)}.`);
    },
  };
};
