/**
 * What a lane asks for next, by the plan. Classes planned here come in the proportion in which they are planned (smooth
 * weighted round robin), and where requests are short of each class all sizes, so that a lane's requests and tokens are used
 * up together at any time and not only on the whole; but first those that have nowhere else to go. Then comes what may as well
 * run here as where it is planned. What is not on the list has a better place.
 */
import type { LanePlan, Share } from './plan.ts';
import type { BacklogCell } from './situation.ts';
import type { SizeClass } from './size-classes.ts';

/** What a lane has to its credit of each class, in requests, by its key: what is planned of a class adds up, and a grant takes one. */
export type Credits = ReadonlyMap<string, number>;

/** How far a lane has come. */
export interface LaneProgress {
  /** What was granted since its plan was made, by class. */
  readonly taken: ReadonlyMap<SizeClass, number>;
  /** These last from one plan to the next: a class of which one in a hundred is planned has its turn after a hundred, not never. */
  readonly credits: Credits;
  /** All that was granted, by this plan and those before: it draws the size that is next. */
  readonly drawn: number;
}

/** A lane that nothing was granted on. */
export const NO_PROGRESS: LaneProgress = { taken: new Map(), credits: new Map(), drawn: 0 };

/** What of it lasts when a new plan is made. */
export const progressIntoNextPlan = ({ credits, drawn }: LaneProgress): LaneProgress => ({
  ...NO_PROGRESS,
  credits,
  drawn,
});

/** The same after a request of a class was granted. */
export const progressAfter = (
  { shares }: LanePlan,
  progress: LaneProgress,
  sizeClass: SizeClass,
): LaneProgress => {
  const { taken, credits, drawn } = progress;
  const ofClass = (portion: Portion): boolean => portion.share.sizeClass === sizeClass;
  const waiting = rounds(shares, taken).find((portions) => portions.some(ofClass));
  return {
    taken: new Map(taken).set(sizeClass, (taken.get(sizeClass) ?? 0) + 1),
    credits: waiting === undefined ? credits : creditsAfter(waiting, sizeClass, credits),
    drawn: drawn + 1,
  };
};

/** A range of the backlog that a lane asks for. */
export interface Wish {
  readonly sizeClass: SizeClass;
  readonly cell: BacklogCell;
  /** So many requests of it in one go. */
  readonly atMost: number;
  /** Planned here. Only such a wish is waited for where it does not fit; others must fit beside it. */
  readonly isPlanned: boolean;
}

/** A request may run here although it is planned elsewhere if that loses less than this share of what it is worth. */
const TOLERABLE_LOSS = 0.1;
/** Fractions of requests below this are not waited for. */
export const LEAST_SHARE = 0.5;
/** Turns that are laid out one by one; what is granted beyond them in one go comes in larger portions. */
const MOST_TURNS = 24;
/** What a class has to its credit when a lane first hears of it: of what is rare, one comes early rather than at the very end. */
const FIRST_CREDIT = 0.5;
/** As many as there are. */
const ALL = 1_000_000;

/** The wishes of a lane, most wanted first; only the first one where the lane is to take so many in all, or none. */
export const wishList = (plan: LanePlan, progress: LaneProgress): readonly Wish[] => {
  if (plan.most === Infinity) return allWishes(plan, progress);
  const left = plan.most - progress.taken.values().reduce((sum, count) => sum + count, 0);
  if (left <= 0) return [];
  return allWishes(plan, progress)
    .slice(0, 1)
    .map((wish) => ({ ...wish, atMost: Math.min(wish.atMost, left) }));
};

const allWishes = (
  { shares, binding }: LanePlan,
  { taken, credits, drawn }: LaneProgress,
): readonly Wish[] => {
  const [first, now, later] = rounds(shares, taken);
  const isShortOfRequests = binding?.metric === 'requests';
  const planned = [...first, ...now].map(({ share }) => share);
  const welcome = shares
    .filter((share) => !planned.includes(share) && isWelcome(share))
    .toSorted((a, b) => a.lossMs - b.lossMs || b.later - a.later || b.worthMs - a.worthMs);
  const inTurn = (portions: readonly Portion[], isPlanned: boolean): readonly Wish[] =>
    turns(portions, credits).flatMap(({ share, count }, turn) =>
      wishesFor(
        share,
        count,
        isPlanned,
        isShortOfRequests ? sizeDrawn(share.sizeClass, drawn + turn) : Infinity,
      ),
    );
  return [
    ...inTurn(first, true),
    ...inTurn(now, true),
    ...planned.flatMap((share) => wishesFor(share, ALL, true)),
    ...inTurn(later, false),
    ...welcome.flatMap((share) => wishesFor(share, ALL, false)),
  ];
};

const isWelcome = ({ now, later, ofSiblings = 0, lossMs, worthMs }: Share): boolean =>
  now + later + ofSiblings > 0 || lossMs <= worthMs * TOLERABLE_LOSS;

/** What of a class is planned, and what of that is left. */
interface Portion {
  readonly share: Share;
  readonly amount: number;
  readonly left: number;
}

/** Whose turns come one round after the other: what goes first, the rest that is planned for now, what is for later or of siblings. */
const rounds = (
  shares: readonly Share[],
  taken: LaneProgress['taken'],
): readonly [readonly Portion[], readonly Portion[], readonly Portion[]] => {
  const now = nowOf(shares, taken);
  return [
    now.filter(({ share }) => share.goesFirst),
    now.filter(({ share }) => !share.goesFirst),
    laterOf(shares, taken),
  ];
};

const nowOf = (shares: readonly Share[], taken: LaneProgress['taken']): readonly Portion[] =>
  shares
    .map((share) => ({ share, amount: share.now, left: share.now - (taken.get(share.sizeClass) ?? 0) }))
    .filter(({ left }) => left >= LEAST_SHARE);

/** Of classes of which nothing is left for now: a lane that has room all the same goes on with these, in proportion, too. */
const laterOf = (shares: readonly Share[], taken: LaneProgress['taken']): readonly Portion[] =>
  shares
    .map((share) => {
      const amount = share.later + (share.ofSiblings ?? 0);
      return { share, amount, left: share.now + amount - (taken.get(share.sizeClass) ?? 0) };
    })
    .filter(({ amount, left }) => amount > 0 && left > 0 && left - amount < LEAST_SHARE);

interface Turn {
  readonly share: Share;
  readonly count: number;
}

/** Whose turn it is, for the next few requests: always the class with the most credit, of equal ones the largest. */
const turns = (portions: readonly Portion[], credits: Credits): readonly Turn[] => {
  let waiting = portions
    .map(({ share, amount, left }) => ({ share, amount, left, credit: creditNow(share, credits) }))
    .toSorted((a, b) => b.share.sizeClass.promptTokens - a.share.sizeClass.promptTokens);
  const order: Turn[] = [];
  for (let turn = 0; turn < MOST_TURNS && waiting.length > 0; turn += 1) {
    const total = totalOf(waiting);
    for (const entry of waiting) entry.credit += entry.amount / total;
    const next = waiting.reduce((best, entry) => (entry.credit > best.credit ? entry : best));
    next.credit -= 1;
    next.left -= 1;
    if (next.left < LEAST_SHARE) waiting = waiting.filter((entry) => entry !== next);
    const last = order.at(-1);
    if (last?.share === next.share) order[order.length - 1] = { share: next.share, count: last.count + 1 };
    else order.push({ share: next.share, count: 1 });
  }
  return order;
};

/** Everybody who waits earns what is planned of it, and who had the turn pays for it. */
const creditsAfter = (waiting: readonly Portion[], granted: SizeClass, credits: Credits): Credits => {
  const total = totalOf(waiting);
  const earned = new Map(credits);
  for (const { share, amount } of waiting) {
    const price = share.sizeClass === granted ? 1 : 0;
    earned.set(share.sizeClass.key, creditNow(share, credits) + amount / total - price);
  }
  return earned;
};

const creditNow = ({ sizeClass }: Share, credits: Credits): number =>
  credits.get(sizeClass.key) ?? FIRST_CREDIT;

const totalOf = (portions: readonly Pick<Portion, 'amount'>[]): number =>
  portions.reduce((sum, { amount }) => sum + amount, 0);

/** Multiples of it, less their whole part, are spread evenly, however many there are (Weyl's theorem). */
const GOLDEN_RATIO = (1 + Math.sqrt(5)) / 2;

/**
 * The largest prompt of a class that is asked for this time by a lane that is short of requests. They are spread evenly about
 * the mean: with the largest first what runs early would be larger than planned, and requests would be left over where tokens
 * are used up. Where tokens are short they are packed better with the largest first.
 */
const sizeDrawn = ({ cells, promptTokens }: SizeClass, draw: number): number => {
  const smallest = Math.min(...cells.map(({ fromTokens }) => fromTokens));
  const largest = Math.max(...cells.map(({ largestTokens }) => largestTokens));
  const reach = Math.max(0, Math.min(promptTokens - smallest, largest - promptTokens));
  const chance = (draw * GOLDEN_RATIO) % 1;
  return Math.round(promptTokens + (2 * chance - 1) * reach);
};

/** Of what is no larger than asked for the largest come first: it is they who find room least often. */
const wishesFor = (
  { sizeClass }: Share,
  atMost: number,
  isPlanned: boolean,
  mostTokens = Infinity,
): readonly Wish[] =>
  sizeClass.cells
    .filter(({ fromTokens }) => fromTokens <= mostTokens)
    .toSorted((a, b) => b.toTokens - a.toTokens)
    .map((cell) => ({
      sizeClass,
      cell: cell.toTokens <= mostTokens ? cell : { ...cell, toTokens: mostTokens },
      atMost,
      isPlanned,
    }));
