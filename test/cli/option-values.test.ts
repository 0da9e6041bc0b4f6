import { InvalidArgumentError } from 'commander';
import { describe, expect, it } from 'vitest';
import { dollars, pageLength, port, priority, roles } from '../../src/cli/option-values.ts';

describe('roles', () => {
  it('come in one order, each once, whatever was typed', () => {
    expect(roles('worker')).toEqual(['worker']);
    expect(roles(' worker , api,worker')).toEqual(['api', 'worker']);
    expect(roles('worker,dispatcher,api')).toEqual(['api', 'dispatcher', 'worker']);
  });

  it.each(['', ',', 'api,', 'API', 'api worker', 'api,boss'])('are refused as %j', (text) => {
    expect(() => roles(text)).toThrow(InvalidArgumentError);
  });
});

describe('a port', () => {
  it('is any from 0 to 65535', () => {
    expect([port('0'), port('7316'), port('65535')]).toEqual([0, 7_316, 65_535]);
  });

  it.each(['65536', '-1', '80.5', 'http', ''])('is refused as %j', (text) => {
    expect(() => port(text)).toThrow(InvalidArgumentError);
  });
});

describe('dollars', () => {
  it('are read to the millionth', () => {
    expect([dollars('2.50'), dollars('0.000001'), dollars('1000000')]).toEqual([
      2_500_000_000, 1_000, 1_000_000_000_000_000,
    ]);
  });

  it.each(['0', '0.00', '-1', '$2', '2,5', 'much', '', '0.0000001', '1000001'])(
    'are refused as %j',
    (text) => {
      expect(() => dollars(text)).toThrow(InvalidArgumentError);
      expect(() => dollars(text)).toThrow(/^Expected dollars from 0\.000001 to 1000000/u);
    },
  );
});

describe('a priority', () => {
  it('is from -100 to 100, with a sign or without', () => {
    expect([priority('-100'), priority('+7'), priority('0'), priority('100')]).toEqual([-100, 7, 0, 100]);
    for (const text of ['101', '-101', '1.5', 'high', ''])
      expect(() => priority(text)).toThrow(InvalidArgumentError);
  });
});

describe('the length of a list', () => {
  it('is from 1 to 1000', () => {
    expect([pageLength('1'), pageLength('1000')]).toEqual([1, 1_000]);
    for (const text of ['0', '1001', 'all']) expect(() => pageLength(text)).toThrow(InvalidArgumentError);
  });
});
