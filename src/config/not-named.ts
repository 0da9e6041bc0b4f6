/** Which providers of the catalog are on by themselves, and why the others wait to be named. */
import { CATALOG } from '../providers/catalog.ts';
import type { CatalogProvider } from '../providers/catalog-provider.ts';
import type { UnavailableProvider } from './config.ts';
import { keyVariable } from './key-variables.ts';
import type { Environment } from './key-variables.ts';

/**
 * Free models behind a key: whoever sets the key means them to be used. Trials spend credit that may run over into a
 * bill, and what works without a key is nobody's choice until it is named.
 */
export function isOnByItself({ tier, apiKeyEnv, models }: CatalogProvider): boolean {
  return tier === 'free' && apiKeyEnv !== undefined && models.length > 0;
}

/** Providers that could be used if the file named them: the anonymous ones, and those whose key is set. */
export function notNamed(environment: Environment): readonly UnavailableProvider[] {
  const taken = new Set(CATALOG.filter(isOnByItself).map(({ apiKeyEnv }) => apiKeyEnv));
  return CATALOG.flatMap((provider) => {
    if (isOnByItself(provider) || provider.tier === 'local' || taken.has(provider.apiKeyEnv)) return [];
    const reason = reasonOf(provider, environment);
    return reason === undefined ? [] : [{ providerId: provider.id, kind: 'not-named', reason }];
  });
}

/** `undefined` where its key is not there either, so that there is nothing to say. */
function reasonOf(provider: CatalogProvider, environment: Environment): string | undefined {
  const { apiKeyEnv, tier } = provider;
  if (apiKeyEnv === undefined) return `works without a key, once you name it: ${wayOf(provider)}`;
  const variable = keyVariable({ entry: {}, catalog: provider }, environment) ?? apiKeyEnv;
  if ((environment[variable]?.trim() ?? '') === '') return undefined;
  const cost = tier === 'paid' ? 'calls cost money' : 'calls spend trial credit';
  return `${variable} is set, but ${cost}: to use it, ${wayOf(provider)}`;
}

function wayOf({ id, models }: CatalogProvider): string {
  return models.length > 0
    ? `write \`${id}: {}\` under \`providers\` in nightshift.yaml`
    : `list its models under \`providers.${id}.models\` in nightshift.yaml`;
}
