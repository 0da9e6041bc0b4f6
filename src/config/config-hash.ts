/** Tells whether two configurations mean the same. */
import { createHash } from 'node:crypto';
import type { Config } from './config.ts';

/**
 * SHA-256, in hex, of what a configuration means: providers, pools and aliases. The same whatever the order of
 * keys inside objects; keys of providers, paths and warnings do not enter it.
 */
export function configHash({
  providers,
  pools,
  aliases,
}: Pick<Config, 'providers' | 'pools' | 'aliases'>): string {
  return createHash('sha256').update(JSON.stringify({ providers, pools, aliases }, sortedKeys)).digest('hex');
}

function sortedKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
