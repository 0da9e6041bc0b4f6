/** How the night looks at a deadline, and what would leave fewer lines then. */
import { openTimeMs, opensAtMs } from '../../core/night-window.ts';
import { requestsLeft } from '../../core/plan/by-deadline.ts';
import type { Situation } from '../../core/plan/situation.ts';
import { unusedSupply } from '../../core/plan/unused.ts';
import { withMoreSupply } from '../../core/plan/what-if.ts';
import type { Plans } from './counted-plans.ts';
import { NOBODY, withCandidate } from './forecast-additions.ts';
import type { AdditionForecast, DeadlineForecast, DeadlineOption } from './input-forecast.ts';
import type { Candidate, ForecastQuestion, Night } from './night-asked-for.ts';

/** The night at the deadline of the terms; of several nights only the hours count. */
export const deadlineOf = async (
  plans: Plans,
  question: ForecastQuestion,
  night: Night,
  additions: readonly AdditionForecast[],
): Promise<DeadlineForecast> => {
  const { nowMs } = night.situation;
  const atMs = question.terms.deadlineAtMs ?? nowMs;
  const beginsAtMs = opensAtMs(night.nightWindow, nowMs);
  const openMs = openTimeMs(night.nightWindow, beginsAtMs, atMs);
  const untilMs = beginsAtMs + openMs;
  const leftIn = async (situation: Situation): Promise<number> =>
    requestsLeft(await plans.leftBy(situation, untilMs), night.isOwn);
  const linesLeft = await leftIn(night.situation);
  if (linesLeft === 0) return { atMs, linesLeft, openMs, options: [] };
  const everywhere = withMoreSupply(night.situation, NOBODY, (route) =>
    night.isOwnRoute(route) ? [...new Set([...route.laneIds, ...question.allLaneIds])] : route.laneIds,
  );
  // Of ways that leave as few the one without a key comes first, then the providers that help most.
  const options: DeadlineOption[] = [{ kind: 'pool-all', linesLeft: await leftIn(everywhere) }];
  for (const candidate of byHelp(question.candidates, additions)) {
    const situation = withCandidate(question, night, candidate, unusedSupply([candidate.provider]));
    if (situation === null) continue;
    const { id } = candidate.provider;
    options.push({ kind: 'provider', providerId: id, linesLeft: await leftIn(situation) });
  }
  return {
    atMs,
    linesLeft,
    openMs,
    options: options
      .filter((option) => option.linesLeft < linesLeft)
      .toSorted((a, b) => a.linesLeft - b.linesLeft),
  };
};

const byHelp = (
  candidates: readonly Candidate[],
  additions: readonly AdditionForecast[],
): readonly Candidate[] => {
  const placeOf = ({ provider }: Candidate): number => {
    const place = additions.findIndex(({ providerId }) => providerId === provider.id);
    return place < 0 ? additions.length : place;
  };
  return candidates.toSorted((a, b) => placeOf(a) - placeOf(b));
};
