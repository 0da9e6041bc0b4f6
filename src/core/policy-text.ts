/** A policy, and what it rules out, in words for people. */
import type { Lane, Provider } from './model.ts';
import { type Disqualification, disqualificationOf, type Policy } from './policy.ts';

/** A policy as it is typed: `--no-training --region CH,EU`. */
export const policyText = ({ forbidsTraining, regions, only, except }: Policy): string =>
  [
    ...(forbidsTraining ? ['--no-training'] : []),
    ...listOption('--region', regions),
    ...listOption('--only', only),
    ...listOption('--except', except),
  ].join(' ');

const listOption = (option: string, entries: readonly string[]): readonly string[] =>
  entries.length === 0 ? [] : [`${option} ${entries.join(',')}`];

/** A lane with its provider. */
export interface Candidate {
  readonly provider: Provider;
  readonly lane: Lane;
}

/** Why none of these lanes qualifies, provider by provider: `gemini trains on prompts; groq is not named`. */
export const whyNoneQualifies = (policy: Policy, candidates: readonly Candidate[]): string => {
  const reasons = candidates.flatMap(({ provider, lane }) => {
    const found = disqualificationOf(policy, provider, lane);
    return found === null ? [] : [reasonText(found, provider)];
  });
  return [...new Set(reasons)].join('; ');
};

const reasonText = (found: Disqualification, { id, regions = [] }: Provider): string => {
  switch (found) {
    case 'trains':
      return `${id} may train on prompts`;
    case 'may-train':
      return `whether ${id} trains on prompts is unknown`;
    case 'other-region':
      return `${id} processes prompts in ${regions.join(', ')}`;
    case 'unknown-region':
      return `where ${id} processes prompts is unknown`;
    case 'not-named':
      return `${id} is not named by --only`;
    case 'excepted':
      return `${id} is left out by --except`;
  }
};
