import { expect, test } from 'vitest';
import { configHash } from '../../src/config/config-hash.ts';
import { ALL_KEYS, resolve } from './resolve.ts';

test('the hash is the same for another key, another order of members and comments', () => {
  const text = 'providers: { groq: { timeout: 9s, concurrency: 2 } }';
  const same = '# mine\nproviders: { groq: { concurrency: 2, timeout: 9000ms } }';
  const hash = configHash(resolve(text));
  expect(hash).toMatch(/^[0-9a-f]{64}$/);
  expect(configHash(resolve(same, { ...ALL_KEYS, GROQ_API_KEY: 'another' }))).toBe(hash);
});

test('the hash changes with any figure', () => {
  expect(hashOf('providers: { groq: { timeout: 9s } }')).not.toBe(
    hashOf('providers: { groq: { timeout: 8s } }'),
  );
});

function hashOf(text: string): string {
  return configHash(resolve(text));
}
