import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { createKeyRing } from '../../src/config/key-ring.ts';

const ring = createKeyRing(new Map([['groq', 'gsk_secret']]));

test('a ring gives a key to who asks for it', () => {
  expect(ring.keyOf('groq')).toBe('gsk_secret');
  expect(ring.keyOf('gemini')).toBeUndefined();
});

test('a ring shows nothing however it is printed', () => {
  const views = [
    inspect(ring, { depth: null, showHidden: true }),
    JSON.stringify({ ring }),
    inspect(Object.entries(ring)),
  ];
  expect(views.filter((view) => view.includes('secret'))).toEqual([]);
  expect(inspect(ring)).toBe('[keys]');
});

test('a fingerprint tells a changed key and differs between salts', () => {
  const changed = createKeyRing(new Map([['groq', 'gsk_other']]));
  expect(ring.fingerprintOf('groq', 's')).toMatch(/^[0-9a-f]{64}$/);
  expect(ring.fingerprintOf('groq', 's')).not.toBe(changed.fingerprintOf('groq', 's'));
  expect(ring.fingerprintOf('groq', 's')).not.toBe(ring.fingerprintOf('groq', 't'));
  expect(ring.fingerprintOf('gemini', 's')).toBeUndefined();
});
