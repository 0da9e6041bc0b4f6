/**
 * Lanes of one provider whose tokens are counted together take the same mix of classes. To the programme it is all one which
 * of them takes the small requests and which the large ones; but they do not wait for each other, and the one with the small
 * ones would use up the calls of both. Nor is there room to be given away on one that is planned for less than the others, or for
 * nothing, where a limit of the provider is all used: whatever runs there runs in the place of what is planned for them, so it is
 * of that mix, too.
 */
import type { LanePlan, Share } from './plan.ts';
import type { Situation } from './situation.ts';
import type { SizeClass } from './size-classes.ts';

/**
 * The same plans, with what such lanes have in common spread over them; what each class and each lane gets stays as much. What
 * may run in the place of others is noted, and whatever else does loses what they are worth.
 */
export const mixedAmongSiblings = (
  plans: readonly LanePlan[],
  { lanes, limits }: Pick<Situation, 'lanes' | 'limits'>,
): readonly LanePlan[] => {
  const countsAlone = new Set(limits.filter(({ metric }) => metric !== 'requests').map(({ scope }) => scope));
  const alike = lanes.filter(({ id, unitCost }) => unitCost === undefined && !countsAlone.has(id));
  const mixed = new Map(
    [...Map.groupBy(alike, ({ providerId }) => providerId)].flatMap(([providerId, group]) => {
      const ids = group.map(({ id }) => id);
      // One that takes nothing of what waits is no company: it is too small, or in no pool.
      const siblings = plans.filter(({ laneId, shares }) => shares.length > 0 && ids.includes(laneId));
      return siblings.length < 2 ? [] : mix(siblings, providerId).map((plan) => [plan.laneId, plan] as const);
    }),
  );
  return plans.map((plan) => mixed.get(plan.laneId) ?? plan);
};

const mix = (group: readonly LanePlan[], providerId: string): readonly LanePlan[] => {
  const isCommon = ({ sizeClass }: Share): boolean =>
    group.every(({ shares }) => shares.some((share) => share.sizeClass === sizeClass));
  const common = group.map(({ shares }) => shares.filter(isCommon));
  const planned = common.map((shares) => sumOf(shares, nowOf) + sumOf(shares, laterOf));
  const equalPart = planned.reduce((sum, amount) => sum + amount, 0) / group.length;
  const usedUp = group.map(({ binding }) => binding).find((binding) => binding?.scope === providerId) ?? null;
  const all = common.flat();
  const worthMs = Math.max(0, ...all.map((share) => share.worthMs));
  const byClass = Map.groupBy(all, ({ sizeClass }) => sizeClass);
  const ofGroup = (sizeClass: SizeClass, amountOf: AmountOf): number =>
    sumOf(byClass.get(sizeClass) ?? [], amountOf);
  const spread = (amountOf: AmountOf) => {
    const total = sumOf(all, amountOf);
    return (sizeClass: SizeClass, lane: number): number =>
      total === 0 ? 0 : (ofGroup(sizeClass, amountOf) * sumOf(common[lane] ?? [], amountOf)) / total;
  };
  const [now, later] = [spread(nowOf), spread(laterOf)];
  return group.map((plan, lane) => {
    const isInPlaceOfOthers = usedUp !== null && (planned[lane] ?? 0) < equalPart;
    return {
      ...plan,
      binding: isInPlaceOfOthers ? usedUp : plan.binding,
      shares: plan.shares.map((share) =>
        isCommon(share)
          ? {
              ...share,
              now: now(share.sizeClass, lane),
              later: later(share.sizeClass, lane),
              ...(isInPlaceOfOthers ? { ofSiblings: ofGroup(share.sizeClass, nowOf), lossMs: worthMs } : {}),
            }
          : share,
      ),
    };
  });
};

type AmountOf = (share: Share) => number;

const nowOf: AmountOf = ({ now }) => now;
const laterOf: AmountOf = ({ later }) => later;

const sumOf = (shares: readonly Share[], amountOf: AmountOf): number =>
  shares.reduce((sum, share) => sum + amountOf(share), 0);
