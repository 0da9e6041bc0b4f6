import { expect, test } from 'vitest';
import { resolveModel } from '../../src/config/resolve-model.ts';
import { resolve } from './resolve.ts';

const config = resolve(`providers:
  groq-paid:
    baseUrl: https://api.groq.com/openai/v1
    tier: paid
    models:
      gpt-oss-20b: { contextTokens: 9, maxOutputTokens: 9 }
  groq: {}
  gemini: {}
pools:
  fast: [groq/gpt-oss-20b, gemini/gemini-3.5-flash-lite]
  gpt-oss-120b: [gemini/gemini-3.5-flash-lite]
aliases:
  quick: fast
  lite: gemini/gemini-3.5-flash-lite
`);

test.each([
  ['a pool', 'fast', ['groq/gpt-oss-20b', 'gemini/gemini-3.5-flash-lite']],
  ['an alias of a pool', 'quick', ['groq/gpt-oss-20b', 'gemini/gemini-3.5-flash-lite']],
  ['an alias of a lane', 'lite', ['gemini/gemini-3.5-flash-lite']],
  ['a lane', 'groq/gpt-oss-20b', ['groq/gpt-oss-20b']],
  ["a lane under the vendor's name for the model", 'groq/openai/gpt-oss-20b', ['groq/gpt-oss-20b']],
  ['a bare model, what is paid last', 'gpt-oss-20b', ['groq/gpt-oss-20b', 'groq-paid/gpt-oss-20b']],
  ["a bare model under the vendor's name", 'openai/gpt-oss-20b', ['groq/gpt-oss-20b']],
  ['a pool before a bare model of the same name', 'gpt-oss-120b', ['gemini/gemini-3.5-flash-lite']],
])('%s', (_, name, laneIds) => {
  expect(resolveModel(config, name)).toEqual({ kind: 'lanes', laneIds });
});

test('a common name leads to the pool that stands in for it', () => {
  expect(resolveModel(config, 'gpt-4o-mini')).toEqual(resolveModel(config, 'small'));
});

test('an unknown name comes with the nearest known ones', () => {
  expect(resolveModel(config, 'gpt-4o-minni')).toEqual({
    kind: 'not-found',
    nearest: ['gpt-4o-mini', 'gpt-4o', 'gpt-4.1-mini'],
  });
  expect(resolveModel(config, '')).toEqual({ kind: 'not-found', nearest: [] });
});
