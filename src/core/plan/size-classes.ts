/**
 * Size classes: requests that are alike enough to be planned as so many of one. They have the same lanes open to them, the
 * same deadline if any, and prompts and answers of about the same size.
 */
import { answerTokensOf } from './answer-length.ts';
import { bandOf } from './bands.ts';
import type { AnswerTally, BacklogCell, PlanRoute } from './situation.ts';

/** Requests planned as one kind. */
export interface SizeClass {
  /** Names it from one plan to the next, as long as classes are as coarse. */
  readonly key: string;
  readonly count: number;
  /** Means. */
  readonly promptTokens: number;
  readonly capTokens: number;
  readonly answerTokens: number;
  /** The mean of the cell whose prompts are the longest: a band reaches further than what is in it. */
  readonly largestPromptTokens: number;
  /** The largest. */
  readonly largestCapTokens: number;
  readonly outputIsAsked: boolean;
  readonly laneIds: readonly string[];
  /** Of its batches; missing: it may be done at any time. */
  readonly expiresAtMs?: number;
  readonly cells: readonly BacklogCell[];
}

/** More classes than this make the programme slow and the plan no better. */
const MOST_CLASSES = 60;

/** Cells gathered into classes; coarser where there would be too many of them. */
export const sizeClasses = (
  cells: readonly BacklogCell[],
  routes: readonly PlanRoute[],
  answers: readonly AnswerTally[],
): readonly SizeClass[] => {
  const byId = new Map(routes.map((route) => [route.id, route]));
  const answerLengths = answerTokensOf(answers);
  const known = cells.filter(({ routeId, count }) => byId.has(routeId) && count > 0);
  for (let coarseness = 1; ; coarseness *= 2) {
    const groups = Map.groupBy(known, (cell) => keyOf(cell, byId.get(cell.routeId), coarseness));
    if (groups.size <= MOST_CLASSES || coarseness > 64)
      return [...groups].map(([key, group]) => classOf(key, group, { routes: byId, answerLengths }));
  }
};

const keyOf = (cell: BacklogCell, route: PlanRoute | undefined, coarseness: number): string => {
  const promptBand = Math.floor(bandOf(cell.toTokens) / coarseness);
  const capBand = Math.floor(bandOf(cell.capTokens) / coarseness);
  const expires = route?.expiresAtMs === undefined ? [] : [`by ${route.expiresAtMs}`];
  return [promptBand, capBand, cell.outputIsAsked, ...expires, ...(route?.laneIds ?? [])].join(' ');
};

interface ClassGrounds {
  readonly routes: ReadonlyMap<number, PlanRoute>;
  readonly answerLengths: ReturnType<typeof answerTokensOf>;
}

const classOf = (
  key: string,
  cells: readonly BacklogCell[],
  { routes, answerLengths }: ClassGrounds,
): SizeClass => {
  const total = (of: (cell: BacklogCell) => number): number => cells.reduce((sum, cell) => sum + of(cell), 0);
  const count = total((cell) => cell.count);
  const { laneIds = [], expiresAtMs } = routes.get(cells[0]?.routeId ?? 0) ?? {};
  return {
    key,
    count,
    promptTokens: total((cell) => cell.promptTokens) / count,
    capTokens: total((cell) => cell.capTokens * cell.count) / count,
    answerTokens:
      total((cell) => cell.count * answerLengths(cell, routes.get(cell.routeId)?.batchId)) / count,
    largestPromptTokens: Math.max(...cells.map((cell) => cell.largestTokens)),
    largestCapTokens: Math.max(...cells.map((cell) => cell.capTokens)),
    outputIsAsked: cells.some((cell) => cell.outputIsAsked),
    laneIds,
    ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
    cells,
  };
};
