/** Holds the secrets, the providers' keys first of all, so that nothing shows them by accident. */
import { createHmac } from 'node:crypto';
import { inspect } from 'node:util';

/** The keys of the providers that are on. */
export interface KeyRing {
  /** The provider's key; `undefined` for one that needs none. */
  keyOf(providerId: string): string | undefined;
  /** Tells whether a key changed without keeping it: an HMAC-SHA256 of it, in hex; `undefined` without a key. */
  fingerprintOf(providerId: string, salt: string): string | undefined;
  /** The servers of the record and the queues; `null` where both are embedded. The URLs may hold passwords. */
  servers(): { readonly databaseUrl: string; readonly redisUrl: string } | null;
  /** What the service asks its users for; `undefined` where it asks for nothing. */
  apiToken(): string | undefined;
  /** What `JSON.stringify` shows instead of the keys. */
  toJSON(): string;
}

/** Secrets that are no provider's key. */
export interface OtherSecrets {
  readonly databaseUrl?: string | undefined;
  readonly redisUrl?: string | undefined;
  readonly apiToken?: string | undefined;
}

const HIDDEN = '[keys]';

/** A ring of those keys, which are out of reach of `JSON.stringify`, `util.inspect` and `Object.values`. */
export function createKeyRing(keys: ReadonlyMap<string, string>, others: OtherSecrets = {}): KeyRing {
  const held = new Map(keys);
  const { databaseUrl, redisUrl, apiToken } = others;
  return Object.freeze({
    keyOf: (providerId: string) => held.get(providerId),
    fingerprintOf: (providerId: string, salt: string) => {
      const key = held.get(providerId);
      return key === undefined ? undefined : createHmac('sha256', salt).update(key).digest('hex');
    },
    servers: () => (databaseUrl === undefined || redisUrl === undefined ? null : { databaseUrl, redisUrl }),
    apiToken: () => apiToken,
    toJSON: () => HIDDEN,
    [inspect.custom]: () => HIDDEN,
  });
}
