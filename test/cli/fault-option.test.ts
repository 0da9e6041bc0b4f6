import { describe, expect, it } from 'vitest';
import { faultRule } from '../../src/cli/fault-option.ts';

describe('--fault', () => {
  it('names a tier, a kind and conditions, and adds up', () => {
    const first = faultRule('sim-x:http-500,after=6,probability=0.5');
    expect(first).toEqual([{ provider: 'sim-x', kind: 'http-500', afterCalls: 6, probability: 0.5 }]);
    expect(faultRule('*:slow,model=org/a:free,latency=3000', first)).toHaveLength(2);
  });

  it('refuses conditions it does not know and values that are no numbers', () => {
    expect(() => faultRule('sim-x:hang,often=3')).toThrow(/known: model, parameter, after/);
    expect(() => faultRule('sim-x:hang,after=soon')).toThrow(/number of 0 or more/);
    expect(() => faultRule('hang')).toThrow(/Expected TIER:KIND/);
  });
});
