/** What the evidence of refusals suggests to write into nightshift.yaml. Pure. */
import { Document, type Node } from 'yaml';
import type { LaneProgress, LimitUse } from '../../app/progress.ts';
import { byMetricAndLength, isLowered } from '../text/limit-label.ts';
import { fullCount } from '../text/quantity.ts';
import { limitEntryOf } from './limit-entry.ts';
import { figureFor, figureOf, type Reserve, reserveOf } from './reserve.ts';

/** How the lanes stand, and what a new `providers` section would switch off. */
export interface Evident {
  readonly lanes: readonly LaneProgress[];
  /** Providers that are on without being named in a file: a section has to name them, or they go off. */
  readonly onByDefault: readonly string[];
}

/**
 * A part of nightshift.yaml after which every lowered limit is declared as it now stands; `null` where nothing is
 * lowered. Of a lane or provider with a lowered limit it has all limits, because a list there replaces the catalog's.
 */
export function suggestedConfig({ lanes, onByDefault }: Evident): string | null {
  const document = new Document();
  const entries = [...Map.groupBy(lanes, ({ providerId }) => providerId)].flatMap(([id, ofProvider]) => {
    const entry = providerEntry(document, id, ofProvider);
    return entry === null ? [] : [[id, entry] as const];
  });
  if (entries.length === 0) return null;
  const named = new Map(entries);
  const others = onByDefault.filter((id) => !named.has(id)).map((id) => [id, {}] as const);
  document.contents = document.createNode({ providers: new Map([...entries, ...others]) });
  return document.toString({ lineWidth: 0 });
}

/** The provider's own limits and its lanes', as far as they are lowered; `null` where none is. */
function providerEntry(document: Document, id: string, lanes: readonly LaneProgress[]) {
  const limits = limitsByScope(lanes);
  const reserve = reserveOf([...limits.values()].flat());
  const listOf = (scope: string): readonly Node[] | null => {
    const all = limits.get(scope) ?? [];
    return all.some(isLowered)
      ? all.toSorted(byMetricAndLength).map((limit) => limitNode(document, limit, reserve))
      : null;
  };
  const shared = listOf(id);
  const models = lanes.flatMap(({ laneId }) => {
    const list = listOf(laneId);
    return list === null ? [] : [[laneId.slice(id.length + 1), { limits: list }] as const];
  });
  if (shared === null && models.length === 0) return null;
  return {
    ...(shared === null ? {} : { limits: shared }),
    ...(models.length === 0 ? {} : { models: new Map(models) }),
  };
}

/** Every limit once: those of the provider come with each of its lanes. */
function limitsByScope(lanes: readonly LaneProgress[]): ReadonlyMap<string, readonly LimitUse[]> {
  return new Map(lanes.flatMap(({ limits }) => [...Map.groupBy(limits, ({ scope }) => scope)]));
}

function limitNode(document: Document, limit: LimitUse, reserve: Reserve): Node {
  const figure = isLowered(limit) ? figureFor(limit.amount, limit, reserve) : figureOf(limit);
  const node = document.createNode(limitEntryOf(limit, figure), { flow: true });
  if (isLowered(limit)) node.comment = ` was ${fullCount(figureOf(limit))}`;
  return node;
}
