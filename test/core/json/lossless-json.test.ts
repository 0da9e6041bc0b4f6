import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseLossless } from '../../../src/core/json/lossless-json.ts';

describe('parseLossless', () => {
  it.each([
    '12345678901234567890',
    '1e400',
    '-1e400',
    '-0',
    '-0.0',
    '1e-400',
    '0.1000000000000000055511151231257827',
    '123456789.123456789123456789',
    '9007199254740993',
  ])('keeps %s, which a double cannot hold', (number) => {
    expect(JSON.stringify(parseLossless(`{"a":[${number}]}`))).toBe(`{"a":[${number}]}`);
  });

  it.each([
    ['1.50', 1.5],
    ['1e3', 1_000],
    ['100', 100],
    ['0.0', 0],
    ['1E-2', 0.01],
    ['1e21', 1e21],
    ['0e9', 0],
  ])('reads %s as an ordinary number', (text, number) => {
    expect(parseLossless(text)).toBe(number);
  });

  it('keeps lone surrogates and treats __proto__ as a plain member', () => {
    const text = String.raw`{"__proto__":{"x":1},"s":"\ud800"}`;
    const value = parseLossless(text);
    expect(JSON.stringify(value)).toBe(text);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  });

  it('writes any JSON again with the same values', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        expect(JSON.stringify(parseLossless(text))).toBe(text);
      }),
    );
  });

  it('keeps every number, however it was written', () => {
    const numbers = fc.stringMatching(/^-?(?:0|[1-9]\d{0,30})(?:\.\d{1,30})?(?:[eE][+-]?\d{1,4})?$/u);
    fc.assert(
      fc.property(numbers, (text) => {
        const written = JSON.stringify(parseLossless(text));
        expect(JSON.stringify(parseLossless(written))).toBe(written);
        expect(Object.is(Number(written), Number(text))).toBe(true);
      }),
    );
  });
});
