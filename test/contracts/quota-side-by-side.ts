/** Two implementations as one, that must agree on every answer and on every use. */
import { expect } from 'vitest';
import type { PureQuota } from './quota-pure.ts';
import type { QuotaUnderTest } from './quota-under-test.ts';

/** Answers are those of `leader`; a difference between the two fails the test. */
export const sideBySide = (leader: QuotaUnderTest, pure: PureQuota): QuotaUnderTest => {
  let nowMs = 0;
  /** The leader's grants, with their ids in the pure one. */
  const pureGrants = new Map<number, number>();
  const pureGrant = (grant: number): number => pureGrants.get(grant) ?? 0;
  return {
    async reset(scopes, atMs) {
      nowMs = atMs;
      await leader.reset(scopes, atMs);
      await pure.reset(scopes, atMs);
      pureGrants.clear();
    },
    async setClock(atMs) {
      nowMs = atMs;
      await leader.setClock(atMs);
      await pure.setClock(atMs);
    },
    async stepClock(byMs) {
      nowMs += byMs;
      await leader.stepClock(byMs);
      await pure.stepClock(byMs);
    },
    async reserve(scopes, need) {
      const answer = await leader.reserve(scopes, need);
      const expected = await pure.reserve(scopes, need);
      if (answer.kind === 'granted' && expected.kind === 'granted') {
        pureGrants.set(answer.grant, expected.grant);
      } else if (expected.kind === 'granted') {
        // Debt is a fraction and drains in other steps there: it may find room a millisecond later.
        expect(answer).toEqual({ kind: 'refused', roomAtMs: nowMs + 1 });
        await pure.settle(expected.grant, { kind: 'release' }, null);
      } else {
        expect(answer).toEqual({ kind: 'refused', roomAtMs: nearly(expected.roomAtMs) });
      }
      return answer;
    },
    async begin(grant) {
      const begunAtMs = await leader.begin(grant);
      const expected = await pure.begin(pureGrant(grant), begunAtMs ?? nowMs + 1);
      expect(begunAtMs).toEqual(expected);
      return begunAtMs;
    },
    async settle(grant, settlement, sentAtMs) {
      await leader.settle(grant, settlement, sentAtMs);
      await pure.settle(pureGrant(grant), settlement, sentAtMs);
    },
    async crash() {
      await leader.crash();
      await pure.crash();
    },
    async expire() {
      await leader.expire();
      await pure.expire();
    },
    async inUse() {
      const amounts = await leader.inUse();
      const differences = [...(await pure.inUse())].filter(
        ([name, amount]) => !(Math.abs((amounts.get(name) ?? Number.NaN) - amount) < 1e-6),
      );
      expect(differences).toEqual([]);
      return amounts;
    },
    async audit() {
      await leader.audit();
      await pure.audit();
    },
  };
};

/** The same instant, or the next one. */
const nearly = (atMs: number | null): unknown =>
  atMs === null ? null : expect.toSatisfy((value: unknown) => value === atMs || value === atMs + 1);
