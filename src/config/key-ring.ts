/** Holds the providers' keys so that nothing shows them by accident. */
import { createHmac } from 'node:crypto';
import { inspect } from 'node:util';

/** The keys of the providers that are on. */
export interface KeyRing {
  /** The provider's key; `undefined` for one that needs none. */
  keyOf(providerId: string): string | undefined;
  /** Tells whether a key changed without keeping it: an HMAC-SHA256 of it, in hex; `undefined` without a key. */
  fingerprintOf(providerId: string, salt: string): string | undefined;
  /** What `JSON.stringify` shows instead of the keys. */
  toJSON(): string;
}

const HIDDEN = '[keys]';

/** A ring of those keys, which are out of reach of `JSON.stringify`, `util.inspect` and `Object.values`. */
export function createKeyRing(keys: ReadonlyMap<string, string>): KeyRing {
  const held = new Map(keys);
  return Object.freeze({
    keyOf: (providerId: string) => held.get(providerId),
    fingerprintOf: (providerId: string, salt: string) => {
      const key = held.get(providerId);
      return key === undefined ? undefined : createHmac('sha256', salt).update(key).digest('hex');
    },
    toJSON: () => HIDDEN,
    [inspect.custom]: () => HIDDEN,
  });
}
