/** The policy and the budget of a batch, applied: to what names stand for, and to what was asked. */
import type { Lane } from '../core/model.ts';
import { type Candidate, policyText, whyNoneQualifies } from '../core/policy-text.ts';
import { type Policy, qualifies } from '../core/policy.ts';
import { nearestNames } from '../core/nearest.ts';
import { BatchRefused } from './batches.ts';
import type { Routing } from './ports.ts';

/** What a batch says about the lanes that may serve it. */
export interface LaneRules {
  readonly policy: Policy | null;
  /** `null`: no paid lane serves it. */
  readonly maxCostNanoDollars: number | null;
}

/**
 * The same routing for a batch with these rules: no name stands for a lane that its policy rules out, nor for a paid one
 * unless it has a budget and the lane a price. With a budget, every such lane comes after those that cost nothing, whatever
 * the name.
 */
export const routingUnder = (rules: LaneRules, routing: Routing): Routing => ({
  ...routing,
  lanesOf: (name) => {
    const named = candidatesIn(routing, name);
    const joining = named.length === 0 ? [] : candidatesIn(routing, null).filter(isPaid);
    const candidates = [
      ...named.filter((candidate) => !isPaid(candidate)),
      ...named.filter(isPaid),
      ...joining,
    ];
    const serving = candidates.filter((candidate) => serves(rules, candidate));
    return [...new Map(serving.map(({ lane }) => [lane.id, lane])).values()];
  },
});

/** The lanes that any of these names stands for in a batch with these rules, each once. */
export const lanesUnder = (rules: LaneRules, routing: Routing, names: readonly string[]): readonly Lane[] => {
  const allowed = routingUnder(rules, routing);
  const lanes = names.flatMap((name) => allowed.lanesOf(name));
  return [...new Map(lanes.map((lane) => [lane.id, lane])).values()];
};

/** The lanes of this routing that may not serve the batch, whatever stands for them. */
export const disqualifiedLaneIds = (rules: LaneRules, routing: Routing): readonly string[] =>
  candidatesIn(routing, null)
    .filter((candidate) => !serves(rules, candidate))
    .map(({ lane }) => lane.id);

const serves = (rules: LaneRules, { provider, lane }: Candidate): boolean =>
  qualifies(rules.policy, provider, lane) && (provider.tier !== 'paid' || canPay(rules, lane));

const canPay = ({ maxCostNanoDollars }: LaneRules, { price }: Lane): boolean =>
  maxCostNanoDollars !== null && price !== undefined;

const isPaid = ({ provider }: Candidate): boolean => provider.tier === 'paid';

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

/** Why no lane of a name may serve a batch: its policy rules them out, or they cost money that it cannot pay. */
export interface NothingServes {
  readonly kind: 'policy' | 'money';
  /** For people, with the way out. */
  readonly message: string;
}

/**
 * Refuses rules that leave nothing.
 *
 * @param name the pool of every line; `null` looks at all lanes.
 * @throws BatchRefused that says why.
 */
export const requireServing = (rules: LaneRules, routing: Routing, name: string | null): void => {
  const why = whyNothingServes(rules, routing, name);
  if (why !== null) throw new BatchRefused('invalid', why.message);
};

/** Why no lane of a name (`null`: no lane at all) may serve a batch with these rules; `null` if one may. */
export const whyNothingServes = (
  rules: LaneRules,
  routing: Routing,
  name: string | null,
): NothingServes | null => {
  const named = candidatesIn(routing, name);
  const isServed =
    name === null
      ? named.some((candidate) => serves(rules, candidate))
      : routingUnder(rules, routing).lanesOf(name).length > 0;
  if (isServed || named.length === 0) return null;
  const { policy } = rules;
  const paid = named.filter(({ provider, lane }) => qualifies(policy, provider, lane));
  if (policy !== null && paid.length === 0)
    return { kind: 'policy', message: nothingLeftText(policy, named, name) };
  return { kind: 'money', message: moneyText(rules, paid, name) };
};

const moneyText = (rules: LaneRules, paid: readonly Candidate[], name: string | null): string => {
  const lanes = paid.map(({ lane }) => lane.id).join(', ');
  const which = name === null ? 'every lane that is left' : `every lane of ${JSON.stringify(name)}`;
  return rules.maxCostNanoDollars === null
    ? `Expected --max-cost, since ${which} is paid (${lanes}), got none. Say what the batch may cost, such as --max-cost 2.50, or name a pool with lanes that are free.`
    : `Expected a price for ${which} (${lanes}), got none: without one nothing paid is called. Say it in nightshift.yaml in dollars per million tokens, such as \`price: { input: 0.05, output: 0.40 }\`.`;
};

const nothingLeftText = (policy: Policy, named: readonly Candidate[], name: string | null): string => {
  const where = name === null ? 'at least one lane' : `at least one lane of ${JSON.stringify(name)}`;
  const why = whyNoneQualifies(policy, named);
  return `Expected the policy \`${policyText(policy)}\` to leave ${where}, got none${why === '' ? '' : ` (${why})`}. Allow more, name another pool, or add a provider that qualifies.`;
};
