import { expect, test } from 'vitest';
import { suggestion } from '../../src/config/nearest.ts';

test('the nearest known name is suggested', () => {
  expect(suggestion('limts', ['models', 'limits'])).toBe('did you mean `limits`?');
});

test('where nothing is near, all that is known is listed', () => {
  expect(suggestion('zzzzzz', ['requests', 'tokens'])).toBe('known: requests, tokens');
});
