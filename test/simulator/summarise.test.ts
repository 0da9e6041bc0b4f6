import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countTokens, takeTokens } from '../../src/simulator/answers/count-tokens.ts';
import { sentencesOf } from '../../src/simulator/answers/sentences.ts';
import { summarise } from '../../src/simulator/answers/summarise.ts';

const TEXT = `Good evening. The harbour of Ostrava was rebuilt after the flood of 1997, and trade in the harbour has
doubled since. Mr. Novak, who led the rebuilding, had asked the city for a loan that nobody expected to be repaid.
The weather was fine. Trade through the harbour paid the loan back within nine years, and the city now lends
to other harbours. Was it luck? Critics say that the harbour trade hurts the river, and that the city should spend
its income on cleaning it. The council will vote on a plan for cleaner trade in the harbour next spring. Thank you.`;

const anyText = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 400 }),
  fc
    .array(fc.lorem({ mode: 'sentences', maxCount: 4 }), { maxLength: 12 })
    .map((parts) => parts.join('\n\n')),
);

describe('a summary', () => {
  it('never exceeds its token bound, whatever the text', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 0, max: 120 }), (text, maxTokens) => {
        expect(countTokens(summarise(text, { maxTokens }))).toBeLessThanOrEqual(maxTokens);
      }),
    );
  });

  it('consists of whole sentences of the text, in the order of the text', () => {
    const sentences = sentencesOf(TEXT).map((sentence) => sentence.text);
    const chosen = sentencesOf(summarise(TEXT, { maxTokens: 90, maxSentences: 3 })).map(({ text }) => text);
    const places = chosen.map((sentence) => sentences.indexOf(sentence));
    expect(chosen).toHaveLength(3);
    expect(places).toEqual(places.toSorted((left, right) => left - right));
    expect(places).not.toContain(-1);
  });

  it('keeps to the subject and leaves out greetings, questions and asides', () => {
    const summary = summarise(TEXT, { maxTokens: 120, maxSentences: 3 });
    expect(summary).toContain('harbour');
    expect(summary).not.toMatch(/Good evening|Thank you|luck|weather/u);
  });

  it('is the text itself when the text is very short', () => {
    expect(summarise('Two plus two is four.', { maxTokens: 50 })).toBe('Two plus two is four.');
    expect(summarise('', { maxTokens: 50 })).toBe('');
  });

  it('does not end a sentence at "Mr."', () => {
    expect(sentencesOf('Mr. Novak came. He left.').map(({ text }) => text)).toEqual([
      'Mr. Novak came.',
      'He left.',
    ]);
  });
});

describe('the token count', () => {
  it('is additive over texts joined by a space', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (left, right) => {
        expect(countTokens(`${left} ${right}`)).toBe(countTokens(left) + countTokens(right));
      }),
    );
  });

  it('is what a prefix was cut to, or that of the whole text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.nat(50), (text, maxTokens) => {
        const prefix = takeTokens(text, maxTokens);
        expect(text.startsWith(prefix)).toBe(true);
        expect(countTokens(prefix)).toBe(Math.min(maxTokens, countTokens(text)));
      }),
    );
  });

  it('counts short words once, long ones in pieces, digits in threes and marks singly', () => {
    expect(countTokens('The cat sat.')).toBe(4);
    expect(countTokens('internationally')).toBe(3);
    expect(countTokens('1234567')).toBe(3);
    expect(countTokens('日本語')).toBe(3);
    expect(countTokens('😀😀')).toBe(2);
  });
});
