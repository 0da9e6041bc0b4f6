/** The policy of a batch, applied: to what names stand for, and to what was asked. */
import type { Lane } from '../core/model.ts';
import { type Candidate, policyText, whyNoneQualifies } from '../core/policy-text.ts';
import { type Policy, qualifies } from '../core/policy.ts';
import { nearestNames } from '../core/nearest.ts';
import { BatchRefused } from './batches.ts';
import type { Routing } from './ports.ts';

/** The same routing for a batch with this policy: no name stands for a lane that does not qualify. */
export const routingUnder = (policy: Policy | null, routing: Routing): Routing =>
  policy === null
    ? routing
    : {
        ...routing,
        lanesOf: (name) =>
          candidatesIn(routing, name)
            .filter(({ provider, lane }) => qualifies(policy, provider, lane))
            .map(({ lane }) => lane),
      };

/** The lanes that any of these names stands for in a batch with this policy, each once. */
export const lanesUnder = (
  policy: Policy | null,
  routing: Routing,
  names: readonly string[],
): readonly Lane[] => {
  const allowed = routingUnder(policy, routing);
  const lanes = names.flatMap((name) => allowed.lanesOf(name));
  return [...new Map(lanes.map((lane) => [lane.id, lane])).values()];
};

/** The lanes of this routing that do not qualify, whatever stands for them. */
export const disqualifiedLaneIds = (policy: Policy | null, { providers }: Routing): readonly string[] =>
  providers.flatMap((provider) =>
    provider.lanes.filter((lane) => !qualifies(policy, provider, lane)).map(({ id }) => id),
  );

/** The lanes of a name, or all of them; those whose provider is not known are left out. */
const candidatesIn = (routing: Routing, name: string | null): readonly Candidate[] => {
  const lanes =
    name === null ? routing.providers.flatMap((provider) => provider.lanes) : routing.lanesOf(name);
  return lanes.flatMap((lane) => {
    const provider = routing.provider(lane.providerId);
    return provider === undefined ? [] : [{ provider, lane }];
  });
};

/** Two letters or more: `EU`, `CH`, `US`. */
const REGION = /^[A-Z]{2,12}$/u;

/**
 * Refuses what a policy cannot mean: a misspelt name would let prompts go where they must not.
 *
 * @param knownNames ids that mean something although they are not on here, beside those of the routing.
 * @throws BatchRefused with the nearest names.
 */
export const requireKnownNames = (policy: Policy, routing: Routing, knownNames: readonly string[]): void => {
  const region = policy.regions.find((code) => !REGION.test(code));
  if (region !== undefined) {
    throw new BatchRefused(
      'invalid',
      `Expected --region to have codes such as EU, CH or US, got ${JSON.stringify(region)}.`,
    );
  }
  const own = routing.providers.flatMap(({ id, lanes }) => [id, ...lanes.map((lane) => lane.id)]);
  const known = new Set([...own, ...knownNames]);
  for (const [option, names] of [
    ['--only', policy.only],
    ['--except', policy.except],
  ] as const) {
    const stranger = names.find((name) => !known.has(name));
    if (stranger === undefined) continue;
    const near = nearestNames(stranger, known);
    const hint =
      near.length > 0
        ? `Did you mean ${near.join(' or ')}?`
        : `On here: ${routing.providers.map(({ id }) => id).join(', ')}.`;
    throw new BatchRefused(
      'invalid',
      `Expected ${option} to name providers or lanes, got ${JSON.stringify(stranger)}. ${hint}`,
    );
  }
};

/**
 * Refuses a policy that leaves nothing.
 *
 * @param name the pool of every line; `null` looks at all lanes.
 * @throws BatchRefused that says why.
 */
export const requireQualified = (policy: Policy, routing: Routing, name: string | null): void => {
  const isLeft = candidatesIn(routing, name).some(({ provider, lane }) => qualifies(policy, provider, lane));
  if (!isLeft) throw new BatchRefused('invalid', nothingLeftText(policy, routing, name));
};

/** What to say where no lane of a name (`null`: none at all) qualifies: why, and the way out. */
export const nothingLeftText = (policy: Policy, routing: Routing, name: string | null): string => {
  const where = name === null ? 'at least one lane' : `at least one lane of ${JSON.stringify(name)}`;
  const why = whyNoneQualifies(policy, candidatesIn(routing, name));
  return `Expected the policy \`${policyText(policy)}\` to leave ${where}, got none${why === '' ? '' : ` (${why})`}. Allow more, name another pool, or add a provider that qualifies.`;
};
