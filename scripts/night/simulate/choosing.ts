/**
 * Which document a lane takes next, as the record's `choose_requests` does it: the first wish that is there is waited for;
 * others go first where they do not delay it.
 */
import type { TokenEstimate } from '../../../src/core/model.ts';
import type { SizeClass } from '../../../src/core/plan/size-classes.ts';
import type { Wish } from '../../../src/core/plan/wish-list.ts';
import { fitsBeside, type Quota, reserve } from '../../../src/core/quota/quota.ts';
import type { NightDocument } from '../night.ts';
import type { Backlog, Waiting } from './backlog.ts';
import type { LaneState } from './lane-state.ts';

/** What a lane looks for; of no class where there is no plan. */
export type LaneWish = Pick<Wish, 'cell' | 'isPlanned'> & { readonly sizeClass: SizeClass | null };

/** What comes of looking. */
export interface Choice {
  readonly chosen: { readonly waiting: Waiting; readonly sizeClass: SizeClass | null } | null;
  /** For what room is kept; `null` where nothing that is planned lacks room. */
  readonly head: NightDocument | null;
  /** When what lacked room may have it, each. */
  readonly roomAtMs: readonly number[];
}

/** What a lane looks at. */
export interface ChoosingGrounds {
  readonly wishes: readonly LaneWish[];
  readonly backlog: Backlog;
  readonly quota: Quota;
  /** Tokens that calls under way have reserved for answers beyond what those will take: they come back within a call's time. */
  readonly returningTokens: number;
  readonly nowMs: number;
}

/** Of a range so many are tried, each of at most this share of the one before; and the smallest. */
const LOOKS = 3;
const NEXT_LOOK_SHARE = 0.9;

/** What a document reserves. */
export const needOf = ({ promptTokens, capTokens }: NightDocument): TokenEstimate => ({
  promptTokens,
  outputTokens: capTokens,
});

/** Looks for what the lane takes now. */
export const choose = (
  state: LaneState,
  { wishes, backlog, quota, returningTokens, nowMs }: ChoosingGrounds,
): Choice => {
  const { scopes, mostCallTokens } = state;
  const roomAtMs: number[] = [];
  let head: { readonly document: NightDocument; readonly untilMs: number | null } | null = null;
  const delaysHead = (document: NightDocument): boolean =>
    head !== null &&
    (head.untilMs === null ||
      !fitsBeside(quota, scopes, needOf(head.document), needOf(document), head.untilMs));
  for (const { cell, sizeClass, isPlanned } of wishes) {
    for (const waiting of candidates(backlog, cell, mostCallTokens - cell.capTokens)) {
      const { document } = waiting;
      const reserved = reserve(quota, scopes, needOf(document), nowMs);
      if (reserved.kind === 'refused') {
        if (reserved.roomAtMs !== null) roomAtMs.push(reserved.roomAtMs);
        if (head === null && isPlanned) {
          const need = needOf(document);
          const soon = { ...need, outputTokens: need.outputTokens - returningTokens };
          if (reserve(quota, scopes, soon, nowMs).kind === 'granted')
            return { chosen: null, head: document, roomAtMs };
          head = { document, untilMs: reserved.roomAtMs };
        }
      } else if (!delaysHead(document)) {
        return { chosen: { waiting, sizeClass }, head: head?.document ?? null, roomAtMs };
      }
    }
  }
  return { chosen: null, head: head?.document ?? null, roomAtMs };
};

/** What of a range is tried, the largest first. The record asks for just what fits; here a few looks are near enough. */
const candidates = (
  backlog: Backlog,
  cell: LaneWish['cell'],
  mostPromptTokens: number,
): readonly Waiting[] => {
  const found: Waiting[] = [];
  let most = mostPromptTokens;
  for (let look = 0; look < LOOKS && most >= cell.fromTokens; look += 1) {
    const waiting = backlog.largest(cell, most);
    if (waiting === null) break;
    found.push(waiting);
    most = Math.floor(waiting.document.promptTokens * NEXT_LOOK_SHARE);
  }
  const smallest = backlog.smallest(cell);
  return smallest === null || smallest.document.promptTokens > mostPromptTokens
    ? found
    : [...found, smallest];
};
