/** Which environment variable holds a provider's key, and what else there looks like a key of it. One key each. */
import type { Tier } from '../core/model.ts';
import type { CatalogProvider } from '../providers/catalog-provider.ts';
import type { DeclaredProvider } from './declared.ts';
import type { ProviderEntry } from './schema.ts';

/** The variables a configuration may look at. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Why one key is enough, and the second is not used. */
export const ONE_ACCOUNT = 'one account per provider is what their terms allow';

/** Whether the tier gives something that a second account would give again. */
export function isGiven(tier: Tier | undefined): boolean {
  return tier === 'free' || tier === 'trial';
}

/**
 * The variable of the provider's key: the user's, else the catalog's, else the first of its other names that is set.
 * `undefined` for a provider that is called without a key.
 */
export function keyVariable(provider: WithKey, environment: Environment): string | undefined {
  const [main, ...others] = candidates(provider);
  if (main === undefined || isSet(environment, main)) return main;
  return others.find((name) => isSet(environment, name)) ?? main;
}

/** What names the variables of a key. */
interface WithKey {
  readonly entry: Pick<ProviderEntry, 'apiKeyEnv'>;
  readonly catalog: CatalogProvider | undefined;
}

/** Every variable the provider's key may be in, the one that wins first. */
export function candidates({ entry, catalog }: WithKey): readonly string[] {
  if (entry.apiKeyEnv !== undefined) return [entry.apiKeyEnv];
  return catalog?.apiKeyEnv === undefined ? [] : [catalog.apiKeyEnv, ...(catalog.altEnvKeys ?? [])];
}

/** What a variable holds. */
export type KeyResult =
  | { readonly kind: 'found'; readonly key: string }
  | { readonly kind: 'not-needed' | 'missing' }
  | { readonly kind: 'bad'; readonly reason: string };

/** The key in that variable. A value that is several keys, or no key at all, is refused without being shown. */
export function readKey(variable: string | undefined, tier: Tier, environment: Environment): KeyResult {
  if (variable === undefined) return { kind: 'not-needed' };
  const key = environment[variable]?.trim() ?? '';
  if (key === '') return { kind: 'missing' };
  const count = key.split(SEPARATORS).filter((part) => part !== '').length;
  if (count > 1 && isGiven(tier)) return { kind: 'bad', reason: severalKeys(variable, count) };
  if (/^[\x21-\x7e]+$/.test(key)) return { kind: 'found', key };
  return {
    kind: 'bad',
    reason: `${variable} holds a blank or another character that no key has; copy it again`,
  };
}

/** What people put between several keys; no key of a free provider has them inside. */
const SEPARATORS = /[\s,;]+/;

function severalKeys(variable: string, count: number): string {
  return `${variable} holds ${count} keys, or one with a blank, comma or semicolon inside; ${ONE_ACCOUNT}: leave one in it`;
}

/**
 * A warning for each variable that looks like one more key of a free provider: `GROQ_API_KEY_2`, `GROQ_API_KEYS`.
 * Those that some provider reads are none. Values are never shown.
 */
export function spareKeyWarnings(
  declared: readonly DeclaredProvider[],
  environment: Environment,
): readonly string[] {
  const read = new Set(declared.flatMap(candidates));
  const given = declared.filter(
    ({ entry, catalog }) => entry.enabled !== false && isGiven(entry.tier ?? catalog?.tier),
  );
  const idOf = new Map(
    given.flatMap((provider) => candidates(provider).map((name) => [name, provider.id] as const)),
  );
  return Object.keys(environment)
    .filter((name) => isSet(environment, name) && !read.has(name))
    .flatMap((name) => {
      const main = mainOf(name);
      const id = main === undefined ? undefined : idOf.get(main);
      if (id === undefined) return [];
      return [`${name} is not used: ${ONE_ACCOUNT}; the key of \`${id}\` is what ${main} holds.`];
    });
}

/** The variable that such a name is one more of: `GROQ_API_KEY` for `GROQ_API_KEY_2`, `GROQ_API_KEY2` and `GROQ_API_KEYS`. */
function mainOf(name: string): string | undefined {
  return /^(?<main>[A-Z][A-Z0-9_]*?(?:KEY|TOKEN))(?:S|S?_?\d{1,3})$/.exec(name)?.groups?.['main'];
}

function isSet(environment: Environment, name: string): boolean {
  return (environment[name]?.trim() ?? '') !== '';
}
