import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LaneProgress } from '../../src/app/progress.ts';
import { providerLines } from '../../src/cli/display/render-providers.ts';
import { clockTime } from '../../src/cli/text/quantity.ts';
import { lineWidth, paint } from '../../src/cli/text/styled.ts';
import { aLane, aLimit, NOW_MS } from './a-progress-view.ts';

const draw = (lanes: readonly LaneProgress[], columns = Infinity): readonly string[] =>
  providerLines(lanes, { columns, nowMs: NOW_MS }).map((line) => paint(line, false));

const MINUTE = aLimit({ used: 6, freesAtMs: NOW_MS + 4_000 });
const DAY = aLimit({
  metric: 'tokens',
  windowKind: 'refill',
  perMs: 86_400_000,
  amount: 200_000,
  used: 50_000,
});
const SHARED = aLimit({
  scope: 'groq',
  windowKind: 'calendar',
  perMs: null,
  unit: 'day',
  timeZone: 'UTC',
  amount: 50,
});
const EVIDENCE = {
  sinceMs: NOW_MS - 3_600_000,
  lastAtMs: NOW_MS - 60_000,
  refusals: 3,
  reason: 'Rate limit reached for model',
  probeAtMs: NOW_MS + 1_800_000,
};

describe('how providers stand', () => {
  it('is a meter for each limit, under its lane', () => {
    const frees = clockTime(NOW_MS + 4_000, NOW_MS);
    const full = clockTime(NOW_MS + 21_600_000, NOW_MS);
    expect(draw([aLane({ limits: [DAY, MINUTE], callsUnderWay: 1 })])).toEqual([
      'groq',
      '  ● groq/small  calling',
      `    req/min  ██··········            24 of 30  frees ${frees} (in 4 s)`,
      `    tok/day  ███·········  150,000 of 200,000  full ${full} (in 6 h 00 min)`,
      '',
      '█ used   · left',
    ]);
  });

  it('says once what lanes share, and once why a provider is closed', () => {
    const closing = {
      scope: 'groq',
      untilMs: NOW_MS + 3_600_000,
      kind: 'bad-key',
      reason: 'HTTP 401',
      needsUser: true,
    };
    const lanes = ['groq/a', 'groq/b'].map((laneId) => aLane({ laneId, limits: [SHARED], closing }));
    const lines = draw(lanes);
    expect(lines.filter((line) => line.includes('req/day'))).toHaveLength(1);
    expect(lines.filter((line) => line.includes('HTTP 401'))).toEqual(['groq  needs you: HTTP 401']);
    expect(lines.filter((line) => line.includes('closed with its provider'))).toHaveLength(2);
  });

  it('shows what is reserved besides what is granted', () => {
    const limit = aLimit({ amount: 24, reservedAmount: 6 });
    expect(draw([aLane({ limits: [limit] })]).join('\n')).toContain('··········▒▒  24 of 24 (6 reserved)');
  });

  it('shows a lowered limit with the declared one and everything that is known of it', () => {
    const limit = aLimit({ amount: 21, declaredAmount: 30, evidence: EVIDENCE });
    const text = draw([aLane({ limits: [limit] })]).join('\n');
    expect(text).toContain('········××××  21 of 21');
    expect(text).toContain(
      `lowered to 21 of the declared 30 since ${clockTime(EVIDENCE.sinceMs, NOW_MS)}: 3 refusals although`,
    );
    expect(text).toContain('it said: Rate limit reached for model');
    expect(text).toContain(
      `a single call tries for more at ${clockTime(EVIDENCE.probeAtMs, NOW_MS)} (in 30 min)`,
    );
    expect(text).toContain('× withheld after refusals');
  });

  it('fits 80 columns with long limits, reserves, evidence and reasons', () => {
    const limits = fc.array(
      fc
        .record({
          metric: fc.constantFrom(
            'requests' as const,
            'tokens' as const,
            'outputTokens' as const,
            'units' as const,
          ),
          windowKind: fc.constantFrom('rolling', 'refill', 'session'),
          perMs: fc.constantFrom(60_000, 18_000_000, 86_400_000),
          amount: fc.integer({ min: 1, max: 9_999_999_999 }),
          used: fc.nat(9_999_999_999),
          reservedAmount: fc.nat(999_999),
          freesAtMs: fc.integer({ min: NOW_MS, max: NOW_MS + 90 * 86_400_000 }),
          evidence: fc.option(fc.constant(EVIDENCE)),
        })
        .map(aLimit),
      { maxLength: 6 },
    );
    const closing = fc.option(
      fc.record({
        scope: fc.constantFrom('groq', 'groq/small'),
        untilMs: fc.integer({ min: NOW_MS, max: NOW_MS + 90_000_000 }),
        kind: fc.constant('sick'),
        reason: fc.string({ unit: 'grapheme', maxLength: 200 }),
        needsUser: fc.boolean(),
      }),
    );
    fc.assert(
      fc.property(limits, closing, (list, why) => {
        const lanes = [aLane({ limits: list, closing: why })];
        const lines = providerLines(lanes, { columns: 80, nowMs: NOW_MS });
        expect(Math.max(...lines.map(lineWidth))).toBeLessThanOrEqual(80);
      }),
    );
  });

  it('says so where no lane is on', () => {
    expect(draw([])).toEqual(['No lane is on.']);
  });
});
