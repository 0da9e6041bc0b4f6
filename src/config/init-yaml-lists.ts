/** The part of a written nightshift.yaml that lists the providers without a free tier, by kind and in short. */
import { CATALOG } from '../providers/catalog.ts';
import type { CatalogProvider } from '../providers/catalog-provider.ts';

/** Commented lists: trials, paid vendors, gateways and local servers, each with an example that loads once uncommented. */
export function otherKinds(): readonly string[] {
  const rest = CATALOG.filter(({ tier }) => tier !== 'free');
  const local = rest.filter(({ kind }) => kind === 'local-server');
  const byName = rest.filter(({ models }) => models.length > 0);
  const byModel = rest.filter(({ models, kind }) => models.length === 0 && kind !== 'local-server');
  return [
    '',
    '  # Trial credit, spent only when you name it here: some go on as paid when it is used up.',
    ...byName.map((provider) => `  # ${provider.id}: {}${padding(provider, 4)}# ${keyAndTerms(provider)}`),
    '',
    '  # Others: trials, paid vendors and gateways, on when you list the models you mean, as here. What is paid is in no',
    '  # ready-made pool, and works only for batches with --max-cost, at its price in dollars per million tokens.',
    ...example(
      'openai',
      'contextTokens: 131072, maxOutputTokens: 8192, price: { input: 0.05, output: 0.40 }',
    ),
    '',
    ...byModel.map((provider) => `  #   ${provider.id}${padding(provider, 0)}${keyAndTerms(provider)}`),
    '',
    '  # Servers on your own machine, no key needed, with their models as well.',
    ...example('ollama', 'contextTokens: 16384, maxOutputTokens: 4096'),
    '',
    ...local.flatMap((provider) => [
      `  #   ${provider.id}${padding(provider, 0)}${provider.baseUrl}. ${provider.howToStart}`,
      ...provider.notes.map((note) => `  #     ${note}`),
    ]),
  ];
}

const WIDEST = Math.max(...CATALOG.map(({ id }) => id.length));

function padding({ id }: CatalogProvider, taken: number): string {
  return ' '.repeat(WIDEST + 6 - id.length - taken);
}

function keyAndTerms({ apiKeyEnv = '', terms }: CatalogProvider): string {
  return `${apiKeyEnv}. ${terms}`;
}

function example(id: string, figures: string): readonly string[] {
  return [`  # ${id}:`, '  #   models:', `  #     my-model: { ${figures} }`];
}
