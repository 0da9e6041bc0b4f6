import { describe, expect, it } from 'vitest';
import { clockFinding } from '../../../src/cli/doctor/clock-finding.ts';

const told = (clockAheadMs: number | null) =>
  ({ kind: 'answered', models: null, account: null, clockAheadMs }) as const;

describe('the clock', () => {
  it('is right when most providers say so, whatever one of them thinks', () => {
    expect(clockFinding([told(300), told(-200), told(3_600_000)])).toMatchObject({
      isGood: true,
      aheadMs: 300,
      providers: 3,
      text: 'agrees with 3 providers to 2 s',
    });
  });

  it('is wrong, by how much and in which direction, when they agree on that', () => {
    expect(clockFinding([told(90_000), told(90_400)])).toMatchObject({
      isGood: false,
      text: expect.stringMatching(/^1 min 30 s behind that of 2 providers: .*network time/u),
    });
    expect(clockFinding([told(-5_000)])?.text).toContain('5 s ahead of that of 1 provider');
  });

  it('is not judged where nobody told the time', () => {
    expect(clockFinding([told(null), { kind: 'silent', reason: 'no answer' }])).toBeNull();
  });
});
