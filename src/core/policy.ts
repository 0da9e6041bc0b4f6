/**
 * What a batch says about where its prompts may go. A lane that does not qualify is never granted one of its requests,
 * whatever fails. Unknown is never good enough. Pure.
 */
import type { Lane, Provider } from './model.ts';

/** The user's word on privacy. Every list is sorted, each entry once; see {@link policyOf}. */
export interface Policy {
  /** Only providers that are known not to train on prompts, and servers of one's own. */
  readonly forbidsTraining: boolean;
  /** Prompts are processed nowhere else: upper-case codes (`EU`, `CH`). Empty: anywhere. */
  readonly regions: readonly string[];
  /** Ids of providers or lanes: no other lane is used. Empty: all are. */
  readonly only: readonly string[];
  /** Ids of providers or lanes that are not used, even where `only` names them. */
  readonly except: readonly string[];
}

/** Why a lane does not qualify. */
export type Disqualification =
  | 'trains'
  | 'may-train'
  | 'other-region'
  | 'unknown-region'
  | 'not-named'
  | 'excepted';

/** The policy in its one form, so that equal policies are equal texts; `null` where it says nothing. */
export const policyOf = (asked: Partial<Policy>): Policy | null => {
  const policy = {
    forbidsTraining: asked.forbidsTraining ?? false,
    regions: inOrder((asked.regions ?? []).map((region) => region.toUpperCase())),
    only: inOrder(asked.only ?? []),
    except: inOrder(asked.except ?? []),
  };
  const saysNothing =
    !policy.forbidsTraining &&
    [policy.regions, policy.only, policy.except].every(({ length }) => length === 0);
  return saysNothing ? null : policy;
};

const inOrder = (entries: readonly string[]): readonly string[] =>
  [...new Set(entries)].toSorted((a, b) => (a < b ? -1 : 1));

/** Whether requests under the policy may go to the lane; `null` is no policy. */
export const qualifies = (policy: Policy | null, provider: Provider, lane: Lane): boolean =>
  policy === null || disqualificationOf(policy, provider, lane) === null;

/** The first reason why the lane does not qualify; `null` if it does. */
export const disqualificationOf = (
  { forbidsTraining, regions, only, except }: Policy,
  provider: Provider,
  lane: Lane,
): Disqualification | null => {
  const isNamed = (name: string): boolean => name === provider.id || name === lane.id;
  if (except.some(isNamed)) return 'excepted';
  if (only.length > 0 && !only.some(isNamed)) return 'not-named';
  return (
    (forbidsTraining ? trainingOf(provider) : null) ??
    (regions.length > 0 ? placeOf(provider, regions) : null)
  );
};

/** Whether prompts stay on machines of the user's own: a local gateway is no end of the way. */
export const keepsPromptsHome = ({ tier, passesOn }: Provider): boolean =>
  tier === 'local' && passesOn !== true;

/** A server of one's own need not say that it does not train; one that says it does is believed. */
const trainingOf = (provider: Provider): Disqualification | null => {
  const { trainsOnData } = provider;
  if (trainsOnData === true) return 'trains';
  return trainsOnData === false || keepsPromptsHome(provider) ? null : 'may-train';
};

/** Whether prompts to the provider are known not to be trained on. */
export const keepsFromTraining = (provider: Provider): boolean => trainingOf(provider) === null;

const placeOf = (provider: Provider, asked: readonly string[]): Disqualification | null => {
  const { regions = [] } = provider;
  if (keepsPromptsHome(provider)) return null;
  if (regions.length === 0) return 'unknown-region';
  return regions.every((region) => asked.includes(region)) ? null : 'other-region';
};
