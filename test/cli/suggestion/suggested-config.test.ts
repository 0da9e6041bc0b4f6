import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LaneProgress, LimitEvidence, LimitUse } from '../../../src/app/progress.ts';
import { suggestedConfig } from '../../../src/cli/suggestion/suggested-config.ts';
import type { Limit, Provider, Window } from '../../../src/core/model.ts';
import { homeWith, resolve } from '../../config/resolve.ts';
import { aLane, aLimit, NOW_MS } from '../a-progress-view.ts';

const EVIDENCE: LimitEvidence = {
  sinceMs: NOW_MS - 600_000,
  lastAtMs: NOW_MS,
  refusals: 3,
  reason: 'Rate limit reached',
  probeAtMs: NOW_MS + 600_000,
};

/** As the record has a limit of the configuration that was lowered to `amount`. */
const asUsed = (scope: string, { metric, amount, window, reserved = 0 }: Limit, lowered = amount): LimitUse =>
  aLimit({
    scope,
    metric,
    windowKind: window.kind,
    perMs: 'perMs' in window ? window.perMs : null,
    unit: 'unit' in window ? window.unit : null,
    timeZone: 'timeZone' in window ? window.timeZone : null,
    anchorAtMs: 'anchorAtMs' in window ? window.anchorAtMs : null,
    amount: lowered,
    declaredAmount: amount,
    reservedAmount: reserved,
    evidence: lowered < amount ? EVIDENCE : null,
  });

/** The provider's lanes, with every limit at what `lower` makes of its amount. */
const lanesOf = (
  provider: Provider,
  lower: (limit: Limit, scope: string) => number,
): readonly LaneProgress[] =>
  provider.lanes.map((lane) =>
    aLane({
      laneId: lane.id,
      providerId: provider.id,
      limits: [
        ...lane.limits.map((limit) => asUsed(lane.id, limit, lower(limit, lane.id))),
        ...provider.limits.map((limit) => asUsed(provider.id, limit, lower(limit, provider.id))),
      ],
    }),
  );

const providerIn = (text: string, id: string): Provider => {
  const provider = resolve(text).providers.find((candidate) => candidate.id === id);
  if (provider === undefined) throw new Error(`Expected the provider ${id} to be on.`);
  return provider;
};

const suggest = (lanes: readonly LaneProgress[], onByDefault: readonly string[] = []): string => {
  const yaml = suggestedConfig({ lanes, onByDefault });
  if (yaml === null) throw new Error('Expected a suggestion, got none.');
  return yaml;
};

const durationMs = fc.constantFrom(100, 1_500, 60_000, 3_600_000, 18_000_000, 86_400_000, 604_800_000);
const zone = fc.constantFrom('UTC', 'America/Los_Angeles', 'Asia/Kolkata');
const anyWindow: fc.Arbitrary<Window> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('rolling' as const, 'refill' as const, 'session' as const),
    perMs: durationMs,
  }),
  fc.record({ kind: fc.constant('fixed' as const), perMs: durationMs, anchorAtMs: fc.nat(NOW_MS) }),
  fc.record({
    kind: fc.constant('fixed-month' as const),
    anchorAtMs: fc.integer({ min: 1, max: NOW_MS }),
    timeZone: zone,
  }),
  fc.record({
    kind: fc.constant('calendar' as const),
    unit: fc.constantFrom('day' as const, 'week' as const, 'month' as const),
    timeZone: zone,
  }),
);
const anyLimit = fc.record({
  metric: fc.constantFrom(
    'requests' as const,
    'tokens' as const,
    'inputTokens' as const,
    'outputTokens' as const,
    'units' as const,
  ),
  amount: fc.integer({ min: 2, max: 2_000_000 }),
  window: anyWindow,
});

describe('the suggested configuration', () => {
  it('loads for every window and metric, at the effective amounts, whatever of it is lowered', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(anyLimit, {
          minLength: 1,
          maxLength: 5,
          selector: ({ metric, window }) => JSON.stringify([metric, window]),
        }),
        fc.integer({ min: 0, max: 4 }),
        fc.double({ min: 0, max: 0.99, noNaN: true }),
        (limits, place, share) => {
          const lowered = (limit: Limit, index: number): number =>
            index === place % limits.length ? Math.max(1, Math.floor(limit.amount * share)) : limit.amount;
          const amounts = new Map(limits.map((limit, index) => [limit, lowered(limit, index)]));
          const uses = limits.map((limit) => asUsed('home/m', limit, amounts.get(limit)));
          const text = suggest([aLane({ laneId: 'home/m', providerId: 'home', limits: uses })]);
          const pasted = homeWith('        unitCost: { input: 1, output: 2 }\n').concat(
            text.slice(text.indexOf('        limits:')),
          );
          const loaded = providerIn(pasted, 'home').lanes[0]?.limits ?? [];
          const expected = limits.map((limit) => ({
            metric: limit.metric,
            window: limit.window,
            amount: amounts.get(limit),
          }));
          expect(new Set(loaded.map((limit) => JSON.stringify(bare(limit))))).toEqual(
            new Set(expected.map((limit) => JSON.stringify(bare(limit)))),
          );
        },
      ),
    );
  });

  it('replaces no limit of the catalog but the lowered one, and says what that was', () => {
    const groq = providerIn('providers: { groq: {} }', 'groq');
    const lanes = lanesOf(groq, ({ amount }, scope) =>
      scope === 'groq/gpt-oss-20b' && amount === 200_000 ? 140_000 : amount,
    );
    const text = suggest(lanes);
    expect(text).toBe(`providers:
  groq:
    models:
      gpt-oss-20b:
        limits:
          - { requests: 30, per: 1m, window: refill }
          - { requests: 1000, per: 1d, window: refill }
          - { tokens: 8000, per: 1m, window: refill }
          - { tokens: 140000, per: 1d, window: refill } # was 200,000
`);
    const loaded = providerIn(text, 'groq');
    expect(loaded.lanes.map((lane) => lane.limits.map(({ amount }) => amount))).toEqual([
      [30, 1_000, 8_000, 140_000],
      ...groq.lanes.slice(1).map((lane) => lane.limits.map(({ amount }) => amount)),
    ]);
  });

  it('lowers a limit that lanes share on the provider, once', () => {
    const openrouter = providerIn('providers: { openrouter: {} }', 'openrouter');
    const text = suggest(lanesOf(openrouter, ({ amount }) => (amount === 50 ? 35 : amount)));
    expect(text.match(/35/gu)).toHaveLength(1);
    expect(providerIn(text, 'openrouter').limits.map(({ amount }) => amount)).toEqual([20, 35]);
  });

  it('adds what is reserved, so that the effective amount is left when the reserve is taken again', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 90 }), fc.integer({ min: 1, max: 799 }), (percent, effective) => {
        const text = `providers: { groq: { reserve: ${percent}% } }`;
        const declared = providerIn('providers: { groq: {} }', 'groq');
        const reserved = providerIn(text, 'groq');
        const withReserve: Provider = {
          ...reserved,
          lanes: reserved.lanes.map((lane, place) => ({
            ...lane,
            limits: lane.limits.map((limit, index) => ({
              ...limit,
              reserved: (declared.lanes[place]?.limits[index]?.amount ?? 0) - limit.amount,
            })),
          })),
        };
        const lanes = lanesOf(withReserve, ({ amount }) => (amount > effective ? effective : amount));
        const loaded = providerIn(suggest(lanes).replace('groq:', `groq:\n    reserve: ${percent}%`), 'groq');
        expect(loaded.lanes.flatMap((lane) => lane.limits.map(({ amount }) => amount))).toEqual(
          lanes.flatMap((lane) => lane.limits.map(({ amount }) => amount)),
        );
      }),
      { numRuns: 40 },
    );
  });

  it('adds amounts that are reserved by metric, so that the effective amount is left of them, too', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 7_999 }),
        (requests, effective) => {
          const reserve = `{ requests: ${requests}, tokens: 1000 }`;
          const groq = providerIn(`providers: { groq: { reserve: ${reserve} } }`, 'groq');
          const lanes = lanesOf(groq, ({ amount }) => Math.min(amount, effective));
          const loaded = providerIn(
            suggest(lanes).replace('groq:', `groq:\n    reserve: ${reserve}`),
            'groq',
          );
          expect(loaded.lanes.flatMap((lane) => lane.limits.map(({ amount }) => amount))).toEqual(
            lanes.flatMap((lane) => lane.limits.map(({ amount }) => amount)),
          );
        },
      ),
    );
  });

  it('adds a reserve that is a count as that count', () => {
    const limit = { metric: 'requests', window: { kind: 'rolling', perMs: 60_000 }, reserved: 5 } as const;
    const minute = asUsed('home/m', { ...limit, amount: 25 }, 15);
    const day = asUsed('home/m', { ...limit, amount: 995, window: { kind: 'rolling', perMs: 86_400_000 } });
    expect(suggest([aLane({ laneId: 'home/m', providerId: 'home', limits: [minute, day] })])).toContain(
      '- { requests: 20, per: 1m } # was 30\n          - { requests: 1000, per: 1d }',
    );
  });

  it.for([
    [{ kind: 'session', perMs: 18_000_000 }, '{ requests: 9, per: 5h, window: session }'],
    [
      { kind: 'calendar', unit: 'week', timeZone: 'UTC' },
      '{ requests: 9, per: 7d, window: calendar, timeZone: UTC }',
    ],
    [
      { kind: 'calendar', unit: 'day', timeZone: 'Europe/Berlin' },
      '{ requests: 9, per: 1d, window: calendar, timeZone: Europe/Berlin }',
    ],
    [
      { kind: 'fixed-month', anchorAtMs: NOW_MS, timeZone: 'UTC' },
      '{ requests: 9, per: 1month, window: fixed, anchor: 2026-11-20T08:00:00.000Z, timeZone: UTC }',
    ],
    [{ kind: 'fixed', perMs: 3_600_000, anchorAtMs: 0 }, '{ requests: 9, per: 1h, window: fixed }'],
  ] as const)('writes the window %o as a person would', ([window, text]) => {
    const limit = asUsed('home/m', { metric: 'requests', amount: 10, window }, 9);
    expect(suggest([aLane({ laneId: 'home/m', providerId: 'home', limits: [limit] })])).toContain(
      `- ${text} #`,
    );
  });

  it("counts a provider's own units in their own word", () => {
    const window = { kind: 'calendar', unit: 'day', timeZone: 'UTC' } as const;
    const limit = asUsed('cloudflare', { metric: 'units', amount: 10_000, window }, 7_000);
    const lane = aLane({ laneId: 'cloudflare/@cf/meta/llama', providerId: 'cloudflare', limits: [limit] });
    expect(suggest([lane])).toContain(
      '- { units: 7000, per: 1d, window: calendar, timeZone: UTC } # was 10,000',
    );
  });

  it('quotes names that yaml would take for something else', () => {
    const limit = asUsed(
      'home/@cf/a: b',
      { metric: 'requests', amount: 10, window: { kind: 'rolling', perMs: 60_000 } },
      9,
    );
    const text = suggest([aLane({ laneId: 'home/@cf/a: b', providerId: 'home', limits: [limit] })]);
    expect(text).toContain('"@cf/a: b":');
  });

  it('names the other providers that are on where no file names them, so that they stay on', () => {
    const before = resolve(null).providers.map(({ id }) => id);
    const groq = providerIn('providers: { groq: {} }', 'groq');
    const text = suggest(
      lanesOf(groq, ({ amount }) => amount - 1),
      before,
    );
    expect(new Set(resolve(text).providers.map(({ id }) => id))).toEqual(new Set(before));
  });

  it('is not there while nothing is lowered', () => {
    const groq = providerIn('providers: { groq: {} }', 'groq');
    expect(
      suggestedConfig({ lanes: lanesOf(groq, ({ amount }) => amount), onByDefault: ['gemini'] }),
    ).toBeNull();
  });
});

const bare = ({
  metric,
  amount,
  window,
}: Pick<Limit, 'metric' | 'window'> & { readonly amount: number | undefined }) => ({
  metric,
  amount,
  window: Object.fromEntries(Object.entries(window).toSorted(([a], [b]) => a.localeCompare(b))),
});
