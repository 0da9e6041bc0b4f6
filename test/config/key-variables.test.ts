import { describe, expect, test } from 'vitest';
import type { Environment } from '../../src/config/key-variables.ts';
import { homeWith, resolve } from './resolve.ts';

describe('the variable of a key', () => {
  test('is the main one, else the first of its other names that is set', () => {
    expect(zai({ ZAI_API_KEY: 'a', ZHIPU_API_KEY: 'b' })).toEqual(['a', 'ZAI_API_KEY']);
    expect(zai({ ZAI_API_KEY: ' ', ZHIPUAI_API_KEY: 'c', ZHIPU_API_KEY: 'b' })).toEqual([
      'b',
      'ZHIPU_API_KEY',
    ]);
    expect(zai({ ZHIPUAI_API_KEY: 'c' })).toEqual(['c', 'ZHIPUAI_API_KEY']);
  });

  test('is the one that the user names and no other', () => {
    const text = 'providers:\n  zai: { apiKeyEnv: MY_KEY }\n  groq: {}';
    const config = resolve(text, { ZAI_API_KEY: 'a', GROQ_API_KEY: 'g' });
    expect(config.providers.map(({ id }) => id)).toEqual(['groq']);
    expect(config.unavailable[0]?.reason).toMatch(/^MY_KEY is not set/);
  });

  test('is named with its other names where none is set', () => {
    const config = resolve('providers:\n  zai: {}\n  groq: {}', { GROQ_API_KEY: 'g' });
    expect(config.unavailable[0]?.reason).toMatch(
      /^ZAI_API_KEY is not set \(nor ZHIPU_API_KEY, ZHIPUAI_API_KEY\)\. /,
    );
  });
});

describe('a second key for one free provider', () => {
  test.each(['a,b', 'a;b', 'a b', 'a\nb', ' a, b '])('in the same variable is refused: %j', (value) => {
    const config = resolve(null, { GEMINI_API_KEY: 'k', GROQ_API_KEY: value });
    const groq = config.unavailable.find(({ providerId }) => providerId === 'groq');
    expect(config.providers.map(({ id }) => id)).toEqual(['gemini']);
    expect(groq?.kind).toBe('bad-key');
    expect(config.keys.keyOf('groq')).toBeUndefined();
  });

  test("is not suspected in the key of a server of one's own", () => {
    const text = homeWith('').replace('    tier: local', '    tier: local\n    apiKeyEnv: HOME_KEY');
    expect(resolve(text, { HOME_KEY: 'a,b' }).keys.keyOf('home')).toBe('a,b');
  });

  test('is refused with the reason and the way out, without being shown', () => {
    const { warnings } = resolve(null, { GEMINI_API_KEY: 'k', GROQ_API_KEY: 'gsk-first,gsk-second' });
    expect(warnings).toEqual([
      'The provider `groq` is not on: GROQ_API_KEY holds 2 keys, or one with a blank, comma or semicolon inside; one account per provider is what their terms allow: leave one in it.',
    ]);
  });

  test.each(['GROQ_API_KEY_2', 'GROQ_API_KEY2', 'GROQ_API_KEYS', 'GROQ_API_KEYS_1', 'GROQ_API_KEY_10'])(
    'in a variable of its own is not used, and a warning says why: %s',
    (name) => {
      const config = resolve(null, { GROQ_API_KEY: 'k', [name]: 'second' });
      expect(config.keys.keyOf('groq')).toBe('k');
      expect(config.warnings).toEqual([
        `${name} is not used: one account per provider is what their terms allow; the key of \`groq\` is what GROQ_API_KEY holds.`,
      ]);
    },
  );

  test.each([
    ['is empty', { GROQ_API_KEY_2: '' }],
    ['belongs to something else', { GROQ_API_KEY_FILE: '/run/secrets/groq', MY_API_KEY_2: 'x' }],
    ['belongs to a provider that is paid anyway', { OPENAI_API_KEY_2: 'x' }],
  ])('is not suspected in a variable that %s', (_, others) => {
    expect(resolve(null, { GROQ_API_KEY: 'k', ...others }).warnings).toEqual([]);
  });

  test('is no second one where a provider of the file reads it', () => {
    const text = `providers:
  groq: {}
  groq-paid:
    baseUrl: https://api.groq.com/openai/v1
    apiKeyEnv: GROQ_API_KEY_2
    tier: paid
    models: { m: { contextTokens: 9, maxOutputTokens: 9, price: { input: 1, output: 1 } } }
`;
    const config = resolve(text, { GROQ_API_KEY: 'a', GROQ_API_KEY_2: 'b' });
    expect(config.warnings).toEqual([]);
    expect(config.keys.keyOf('groq-paid')).toBe('b');
  });
});

function zai(environment: Environment) {
  const config = resolve('providers:\n  zai: {}', environment);
  return [config.keys.keyOf('zai'), config.providers[0]?.apiKeyEnv];
}
