import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { bindingLimit } from '../../scripts/provider-table/binding-limit.ts';
import { providerTable, withProviderTable } from '../../scripts/provider-table/readme.ts';
import { CATALOG, catalogProvider } from '../../src/providers/catalog.ts';

const README = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

test("the README's table is that of today's catalog", () => {
  expect(withProviderTable(README)).toBe(README);
});

test('another catalog makes another table', () => {
  expect(providerTable(CATALOG.filter(({ id }) => id !== 'groq'))).not.toBe(providerTable(CATALOG));
});

test('a README without the marks is an error that shows them', () => {
  expect(() => withProviderTable('# Nightshift')).toThrow(/<!-- \/providers -->/);
});

test('every living provider is named, once', () => {
  const table = providerTable(CATALOG);
  const named = [...table.matchAll(/`([a-z0-9-]+)`/g)].map(([, id = '']) => id);
  expect(named.toSorted()).toEqual(CATALOG.map(({ id }) => id).toSorted());
});

describe('the limit that binds', () => {
  test.each([
    ['groq', '200,000 tokens a day per model', 'refills continuously'],
    ['gemini', '≈ 20 to 1,000 requests a day per model', 'day of Los Angeles'],
    ['cloudflare', '10,000 neurons a day', 'UTC day'],
    ['ollama-cloud', '≈ 500 requests a week', 'rolling'],
    ['kilo', '200 requests an hour', 'rolling'],
    ['mistral', '≈ 4,000,000 tokens a month', 'UTC month'],
  ])('of %s is %s (%s)', (id, amount, counted) => {
    const provider = catalogProvider(id);
    expect(provider && bindingLimit(provider)).toEqual({ amount, counted });
  });
});
