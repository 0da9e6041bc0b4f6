/** Providers that are gone, so that whoever still names one is told since when and why. Nothing routes to them. */
import type { RetiredProvider } from './catalog-provider.ts';
import { SHARED_SOURCES, recalled } from './sources.ts';

/** Every retired provider that configurations may still name. */
export const RETIRED: readonly RetiredProvider[] = [
  {
    id: 'github-models',
    name: 'GitHub Models',
    status: 'retired',
    retiredOn: '2026-07-30',
    reason: 'GitHub shut it down and points to Azure AI Foundry and Copilot.',
    sources: {
      changelog: {
        url: 'https://github.blog/changelog/2026-07-01-github-models-is-being-fully-retired-on-july-30-2026/',
        date: '2026-07-01',
      },
      mnfst99: { url: 'https://github.com/mnfst/awesome-free-llm-apis/pull/99', date: '2026-08-19' },
    },
  },
  {
    id: 'kluster',
    name: 'Kluster AI',
    status: 'retired',
    retiredOn: '2026-06-09',
    reason: 'The service was closed; the company goes on as MITO.',
    sources: { omniroute: SHARED_SOURCES.omniroute },
  },
  {
    id: 'petals',
    name: 'Petals (public swarm)',
    status: 'retired',
    retiredOn: null,
    reason: 'The volunteer swarm has long been inactive and never spoke the OpenAI protocol.',
    sources: { repository: recalled('https://github.com/bigscience-workshop/petals') },
  },
];

/** The retired provider of that id, if there is one. */
export function retiredProvider(id: string): RetiredProvider | undefined {
  return RETIRED.find((provider) => provider.id === id);
}
