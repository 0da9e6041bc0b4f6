/** Decides which declared providers are on, given what the environment holds. */
import type { Provider } from '../core/model.ts';
import type { UnavailableProvider } from './config.ts';
import type { DeclaredProvider } from './declared.ts';
import { draftProvider } from './draft-provider.ts';
import { candidates, keyVariable, readKey } from './key-variables.ts';
import type { Environment } from './key-variables.ts';

/** A declared provider, on or not. */
export type Switched =
  | { readonly kind: 'on'; readonly provider: Provider; readonly key: string | undefined }
  | { readonly kind: 'off'; readonly unavailable: UnavailableProvider };

/**
 * Switches one provider on if its key and the parts of its address are there. A local server needs no key; one that is
 * assumed, since other processes call it, needs neither.
 */
export function switchOn(declared: DeclaredProvider, environment: Environment, isAssumed = false): Switched {
  const { id, entry } = declared;
  if (entry.enabled === false) return off(id, 'switched-off', 'switched off by `enabled: false`');
  const provider = draftProvider(declared);
  if (provider.lanes.length === 0) return off(id, 'no-model', 'all of its models are switched off');
  const variable = keyVariable(declared, environment);
  const key = readKey(variable, provider.tier, environment);
  if (key.kind === 'bad') return off(id, 'bad-key', key.reason);
  if (key.kind === 'missing' && provider.tier !== 'local' && !isAssumed)
    return off(id, 'no-key', missingKey(declared));
  const address = filledIn(provider.baseUrl, environment);
  if (address.missing !== undefined && !isAssumed)
    return off(id, 'no-variable', `${address.missing} is not set: its address needs it`);
  const named = variable === undefined ? provider : { ...provider, apiKeyEnv: variable };
  const value = key.kind === 'found' ? key.key : undefined;
  return { kind: 'on', provider: { ...named, baseUrl: address.url }, key: value };
}

function missingKey(declared: DeclaredProvider): string {
  const [main = '', ...others] = candidates(declared);
  const either = others.length === 0 ? '' : ` (nor ${others.join(', ')})`;
  const howToStart = declared.catalog === undefined ? '' : `. ${declared.catalog.howToStart}`;
  return `${main} is not set${either}${howToStart}`;
}

function filledIn(baseUrl: string, environment: Environment) {
  const names = [...baseUrl.matchAll(/\{([A-Z][A-Z0-9_]*)\}/g)].map(([, name = '']) => name);
  const valueOf = (name: string) => environment[name]?.trim() ?? '';
  const missing = names.find((name) => valueOf(name) === '');
  const url = baseUrl.replaceAll(/\{([A-Z][A-Z0-9_]*)\}/g, (_, name: string) =>
    encodeURIComponent(valueOf(name)),
  );
  return { url, missing };
}

function off(providerId: string, kind: UnavailableProvider['kind'], reason: string): Switched {
  return { kind: 'off', unavailable: { providerId, kind, reason } };
}
