/** A night as it would be with more to serve it, with longer answers, or with slower lanes. */
import { bandOf } from './bands.ts';
import { withLanesBack } from './lanes-back.ts';
import type { AnswerTally, PlanRoute, Situation } from './situation.ts';
import type { Supply } from './unused.ts';

/** The situation with these lanes besides; routes go where `laneIdsOf` says. What is there already stays as it is. */
export const withMoreSupply = (
  situation: Situation,
  more: Supply,
  laneIdsOf: (route: PlanRoute) => readonly string[],
): Situation => {
  const known = new Set(situation.lanes.map(({ id }) => id));
  const knownProviders = new Set(situation.providers.map(({ id }) => id));
  return {
    ...situation,
    routes: withLanesBack(situation).routes.map((route) => ({ ...route, laneIds: laneIdsOf(route) })),
    lanes: [...situation.lanes, ...more.lanes.filter(({ id }) => !known.has(id))],
    providers: [...situation.providers, ...more.providers.filter(({ id }) => !knownProviders.has(id))],
    limits: [
      ...situation.limits,
      ...more.limits.filter(({ scope }) => !known.has(scope) && !knownProviders.has(scope)),
    ],
  };
};

/** So many answers outweigh whatever is assumed without them. */
const MANY_ANSWERS = 1e6;

/**
 * The situation with answers of that share of their bounds, from 0 to 1, in batches of which no answer has shown how long
 * they are. Of prompts of one size the mean bound counts.
 */
export const withAnswerShare = (situation: Situation, share: number): Situation => {
  const known = new Set(situation.answers.map(({ batchId }) => batchId));
  const batchOf = new Map(situation.routes.map(({ id, batchId }) => [id, batchId]));
  const unknown = situation.cells.flatMap((cell) => {
    const batchId = batchOf.get(cell.routeId);
    return batchId === undefined || known.has(batchId) || cell.count === 0
      ? []
      : [{ batchId, band: bandOf(cell.toTokens), count: cell.count, capTokens: cell.capTokens }];
  });
  const groups = Map.groupBy(unknown, ({ batchId, band }) => `${batchId} ${band}`);
  const assumed = [...groups.values()].flatMap((cells): readonly AnswerTally[] => {
    const [first] = cells;
    if (first === undefined) return [];
    const count = cells.reduce((sum, cell) => sum + cell.count, 0);
    const capTokens = cells.reduce((sum, cell) => sum + cell.count * cell.capTokens, 0) / count;
    const { batchId, band } = first;
    return [{ batchId, band, answers: MANY_ANSWERS, tokens: MANY_ANSWERS * share * capTokens }];
  });
  return { ...situation, answers: [...situation.answers, ...assumed] };
};

/** The situation with calls that take so long on lanes that have not shown it. */
export const withGuessedCalls = (situation: Situation, callMs: number): Situation => ({
  ...situation,
  lanes: situation.lanes.map((lane) => (lane.guess === undefined ? lane : { ...lane, callMs })),
});
