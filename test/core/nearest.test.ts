import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editDistance, nearestNames } from '../../src/core/nearest.ts';

const KNOWN = [
  'small',
  'large',
  'groq/gpt-oss-20b',
  'groq/gpt-oss-120b',
  'gemini/gemini-3.1-flash-lite',
  'gpt-4o-mini',
];

describe('nearestNames', () => {
  it('finds the name behind a slip, a swap and another case', () => {
    expect(nearestNames('smal', KNOWN)).toEqual(['small']);
    expect(nearestNames('samll', KNOWN)).toEqual(['small']);
    expect(nearestNames('LARGE', KNOWN)).toEqual(['large']);
  });

  it('finds lanes by a model id without provider, the nearest first', () => {
    expect(nearestNames('gpt-oss-20b', KNOWN)[0]).toBe('groq/gpt-oss-20b');
  });

  it('offers nothing where nothing is near', () => {
    expect(nearestNames('mistral-nemo', KNOWN)).toEqual([]);
    expect(nearestNames('', KNOWN)).toEqual([]);
  });

  it('offers known names only, each once, at most as many as asked', () => {
    fc.assert(
      fc.property(fc.string(), fc.array(fc.string()), fc.nat(5), (name, known, atMost) => {
        const names = nearestNames(name, known, atMost);
        expect(names.length).toBeLessThanOrEqual(atMost);
        expect(new Set(names).size).toBe(names.length);
        for (const found of names) expect(known).toContain(found);
      }),
    );
  });
});

describe('editDistance', () => {
  it('is zero for equal names alone, symmetric, and at most the longer length', () => {
    const name = fc.string({ maxLength: 12 });
    fc.assert(
      fc.property(name, name, (a, b) => {
        const distance = editDistance(a, b);
        expect(distance === 0).toBe(a === b);
        expect(editDistance(b, a)).toBe(distance);
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
      }),
    );
  });

  it('counts a swap of neighbours as one edit', () => {
    expect(editDistance('ab', 'ba')).toBe(1);
    expect(editDistance('kitten', 'sitting')).toBe(3);
  });
});
