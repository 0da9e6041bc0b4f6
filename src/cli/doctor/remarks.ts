/** What else is worth knowing of a provider, one sentence each. Pure. */
import type { AccountStanding } from '../../adapters/openai/account-standing.ts';
import type { Limit, Provider } from '../../core/model.ts';
import { nearestNames } from '../../core/nearest.ts';
import { limitLabel } from '../text/limit-label.ts';
import { loweredText } from '../text/evidence-text.ts';
import { clockTime, fullCount } from '../text/quantity.ts';
import { apartText, CLOCK_TOLERANCE_MS, clockAheadOf } from './clock-finding.ts';
import type { Examination } from './examination.ts';

/** All remarks, what needs doing first. */
export function remarks(examination: Examination): readonly string[] {
  return [
    ...modelNotes(examination),
    ...accountNotes(examination),
    ...clockNotes(examination),
    ...closingNotes(examination),
    ...loweredNotes(examination),
  ];
}

/** Models that are gone, with those that may have taken their place; and that they were not looked up where that is so. */
function modelNotes({ provider, probe }: Examination): readonly string[] {
  if (probe?.kind !== 'answered') return [];
  const { models } = probe;
  if (models === null)
    return ['Whether its models are still there is not known: one call is made, and it does not tell.'];
  const missing = provider.lanes.filter(({ model }) => !models.ids.includes(model));
  if (!models.isWhole && missing.length > 0)
    return [
      `It lists its models in parts; not in the first: ${missing.map(({ model }) => model).join(', ')}.`,
    ];
  if (missing.length === provider.lanes.length) return [];
  return missing.map(({ id, model }) => {
    const nearest = nearestNames(model, models.ids);
    const others = nearest.length === 0 ? '' : `, but ${nearest.join(', ')}`;
    return `${model} is no longer listed${others}: switch it off with \`${modelKey(provider, id)}: false\` under \`models\`.`;
  });
}

function modelKey({ id }: Provider, laneId: string): string {
  return laneId.slice(id.length + 1);
}

function accountNotes({ provider, probe }: Examination): readonly string[] {
  if (probe?.kind !== 'answered' || probe.account === null) return [];
  const { freeRequestsToday, creditLeft, creditUsed } = probe.account;
  return [
    ...(freeRequestsToday === null ? [] : freeRequestNotes(provider, freeRequestsToday)),
    ...(creditLeft === null ? [] : [`The key may still spend $${creditLeft.toFixed(2)}.`]),
    ...(creditUsed === null || creditUsed === 0 ? [] : [`It has spent $${creditUsed.toFixed(2)} so far.`]),
  ];
}

function freeRequestNotes(
  provider: Provider,
  { used, limit }: NonNullable<AccountStanding['freeRequestsToday']>,
): readonly string[] {
  const declared = provider.limits.find(isDaily);
  const figure = declared === undefined ? limit : declared.amount + (declared.reserved ?? 0);
  const counted = `${fullCount(used)} of ${fullCount(limit)} free requests were made today, by its own count.`;
  if (figure === limit) return [counted];
  return [
    counted,
    `The configuration says ${fullCount(figure)} a day; \`limits\` of ${provider.id} can say ${fullCount(limit)}.`,
  ];
}

function isDaily({ metric, window }: Limit): boolean {
  return metric === 'requests' && window.kind === 'calendar' && window.unit === 'day';
}

/** Of a provider whose clock is far from ours. */
function clockNotes({ probe }: Examination): readonly string[] {
  const aheadMs = probe === null ? null : clockAheadOf(probe);
  if (aheadMs === null || Math.abs(aheadMs) <= CLOCK_TOLERANCE_MS) return [];
  return [`This machine's clock is ${apartText(aheadMs)} its clock.`];
}

function closingNotes({ closings, provider, nowMs }: Examination): readonly string[] {
  return closings
    .filter(({ scope }) => isOf(provider, scope))
    .map(
      ({ scope, untilMs, reason }) => `${scope} takes no calls until ${clockTime(untilMs, nowMs)}: ${reason}`,
    );
}

function loweredNotes({ lowered, provider, nowMs }: Examination): readonly string[] {
  return lowered.flatMap((limit) => {
    const text = isOf(provider, limit.scope) ? loweredText(limit, nowMs) : null;
    return text === null
      ? []
      : [`${limit.scope} ${limitLabel(limit)} is ${text}; \`npx nightshift providers\` has what to write.`];
  });
}

function isOf({ id, lanes }: Provider, scope: string): boolean {
  return scope === id || lanes.some((lane) => lane.id === scope);
}
