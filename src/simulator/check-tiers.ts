/** Checks tiers before they serve: every problem at once, each with its path. */
import { Temporal } from 'temporal-polyfill';
import type { SimulatedLimit, SimulatedModel, SimulatedTier, SimulatedWindow } from './tier.ts';
import { SIMULATED_DIALECTS } from './tier.ts';

const TIER_ID = /^[A-Za-z0-9][A-Za-z0-9._-]*$/u;

/** Throws one error that lists every problem; silent when there is none. */
export function checkTiers(tiers: readonly SimulatedTier[]): void {
  const problems = [
    ...(tiers.length === 0 ? ['Expected `tiers` to hold at least one tier, got none.'] : []),
    ...duplicates(tiers, 'tiers'),
    ...tiers.flatMap((tier, index) => tierProblems(tier, `tiers[${index}]`)),
  ];
  if (problems.length > 0)
    throw new Error(`The simulated tiers cannot be served:\n- ${problems.join('\n- ')}`);
}

function tierProblems(tier: SimulatedTier, path: string): string[] {
  return [
    ...unless(TIER_ID.test(tier.id), `${path}.id`, 'letters, digits, `.`, `_`, `-`', tier.id),
    ...unless(
      SIMULATED_DIALECTS.includes(tier.dialect),
      `${path}.dialect`,
      `one of ${SIMULATED_DIALECTS.join(', ')}`,
      tier.dialect,
    ),
    ...unless(tier.models.length > 0, `${path}.models`, 'at least one model', tier.models.length),
    ...optionalCount(tier.concurrency, `${path}.concurrency`),
    ...duplicates(tier.models, `${path}.models`),
    ...tier.limits.flatMap((limit, index) => limitProblems(limit, `${path}.limits[${index}]`)),
    ...tier.models.flatMap((model, index) => [
      ...modelProblems(model, `${path}.models[${index}]`),
      ...unitCostProblems(model, tier, `${path}.models[${index}].unitCost`),
    ]),
  ];
}

/** Units are counted for every model of a tier that limits them, and only at a cost that is known. */
function unitCostProblems(model: SimulatedModel, tier: SimulatedTier, path: string): string[] {
  const countsUnits = [...tier.limits, ...model.limits].some(({ metric }) => metric === 'units');
  const { unitCost } = model;
  if (unitCost === undefined)
    return unless(!countsUnits, path, 'there, because a limit counts units', unitCost);
  const isFine = [unitCost.input, unitCost.output].every((cost) => Number.isFinite(cost) && cost >= 0);
  return unless(isFine, path, 'costs of 0 or more', JSON.stringify(unitCost));
}

function modelProblems(model: SimulatedModel, path: string): string[] {
  const { minMs, perOutputTokenMs = 0, jitterMs = 0 } = model.latency;
  const latencyIsFine = [minMs, perOutputTokenMs, jitterMs].every((ms) => Number.isFinite(ms) && ms >= 0);
  return [
    ...unless(model.id !== '', `${path}.id`, 'a name', model.id),
    ...count(model.contextTokens, `${path}.contextTokens`),
    ...count(model.maxOutputTokens, `${path}.maxOutputTokens`),
    ...optionalCount(model.concurrency, `${path}.concurrency`),
    ...unless(latencyIsFine, `${path}.latency`, 'durations of 0 ms or more', JSON.stringify(model.latency)),
    ...model.limits.flatMap((limit, index) => limitProblems(limit, `${path}.limits[${index}]`)),
  ];
}

function limitProblems(limit: SimulatedLimit, path: string): string[] {
  return [...count(limit.amount, `${path}.amount`), ...windowProblems(limit.window, `${path}.window`)];
}

function windowProblems(window: SimulatedWindow, path: string): string[] {
  switch (window.kind) {
    case 'rolling':
    case 'refill':
    case 'session':
      return count(window.perMs, `${path}.perMs`);
    case 'fixed':
      return [...count(window.perMs, `${path}.perMs`), ...instant(window.anchorAtMs, `${path}.anchorAtMs`)];
    case 'fixed-month':
      return [
        ...instant(window.anchorAtMs, `${path}.anchorAtMs`),
        ...zone(window.timeZone, `${path}.timeZone`),
      ];
    case 'calendar':
      return zone(window.timeZone, `${path}.timeZone`);
  }
}

function zone(timeZone: string, path: string): string[] {
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(timeZone);
    return [];
  } catch {
    return unless(false, path, 'an IANA time zone such as `America/Los_Angeles`', timeZone);
  }
}

function instant(atMs: number, path: string): string[] {
  return unless(Number.isSafeInteger(atMs), path, 'whole Unix milliseconds', atMs);
}

function count(value: number, path: string): string[] {
  return unless(Number.isSafeInteger(value) && value > 0, path, 'a positive whole number', value);
}

function optionalCount(value: number | undefined, path: string): string[] {
  return value === undefined ? [] : count(value, path);
}

function duplicates(named: readonly { readonly id: string }[], path: string): string[] {
  const ids = named.map(({ id }) => id);
  const twice = ids.filter((id, index) => ids.indexOf(id) !== index);
  return twice.map((id) => `Expected \`${path}\` to have distinct ids, got \`${id}\` twice.`);
}

function unless(fine: boolean, path: string, expected: string, got: unknown): string[] {
  return fine ? [] : [`Expected \`${path}\` to be ${expected}, got \`${String(got)}\`.`];
}
