import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderProgress } from '../../src/cli/display/render-progress.ts';
import { aLaneView, aLimit, aView, NOW_MS } from './a-progress-view.ts';
import { lineWidths } from './terminal-text.ts';

const draw = (view: ReturnType<typeof aView>, columns = 100, rows = 24): string =>
  renderProgress(view, { columns, rows, colour: false, nowMs: NOW_MS });

const anyState = fc.oneof(
  fc.constantFrom({ kind: 'idle' } as const, { kind: 'busy' } as const),
  fc.record({
    kind: fc.constant('closed' as const),
    scope: fc.string({ unit: 'grapheme', maxLength: 30 }),
    untilMs: fc.integer({ min: NOW_MS, max: NOW_MS + 90_000_000 }),
    reason: fc.string({ unit: 'binary', maxLength: 200 }),
    needsUser: fc.boolean(),
  }),
);
const anyLane = fc.record({
  laneId: fc.string({ unit: 'grapheme', maxLength: 60 }),
  calls: fc.nat(),
  rejected: fc.nat(),
  tokens: fc.nat(),
  callsUnderWay: fc.nat(9),
  state: anyState,
  limits: fc.array(
    fc.record({ amount: fc.integer({ min: 1, max: 5_000_000 }), used: fc.nat(5_000_000) }).map(aLimit),
    { maxLength: 5 },
  ),
});
const anyView = fc.record({
  name: fc.string({ unit: 'grapheme', maxLength: 200 }),
  total: fc.integer({ min: 1 }),
  done: fc.nat(),
  failed: fc.nat(),
  bad: fc.nat(),
  parked: fc.nat(),
  lanes: fc.array(anyLane.map(aLaneView), { maxLength: 40 }),
  notice: fc.option(fc.string({ unit: 'grapheme', maxLength: 200 })),
});

const closed = (scope: string, reason: string) =>
  aLaneView({
    laneId: `${scope}/small`,
    state: { kind: 'closed', scope, untilMs: NOW_MS + 9_000_000, reason, needsUser: false },
  });

describe('renderProgress', () => {
  it('never draws a line wider or a picture higher than the terminal, with or without colours', () => {
    const size = { columns: fc.integer({ min: 1, max: 220 }), rows: fc.integer({ min: 1, max: 60 }) };
    fc.assert(
      fc.property(anyView, fc.record({ ...size, colour: fc.boolean() }), (view, options) => {
        const done = Math.min(view.done, view.total);
        const widths = lineWidths(renderProgress(aView({ ...view, done }), { ...options, nowMs: NOW_MS }));
        expect(widths.length).toBeLessThanOrEqual(options.rows);
        expect(Math.max(...widths)).toBeLessThanOrEqual(options.columns);
      }),
    );
  });

  it('says what is next and when it is done by the plan, on a line of its own that fits a narrow terminal', () => {
    const forecast = {
      finishAtMs: NOW_MS + 8_400_000,
      spreadMs: 900_000,
      next: { scope: 'gemini', atMs: NOW_MS + 3_600_000, isShut: true },
      expiresAtMs: null,
    };
    const lines = draw(aView({ outlook: { kind: 'forecast', ...forecast }, forecast }), 60).split('\n');
    expect(lines).toContainEqual(
      expect.stringMatching(/^next: gemini opens \d\d:00 · done about \d\d:20 ±15 min$/u),
    );
    expect(lines.join('\n')).toContain('84 lines/min');
  });

  it('says beside what everything waits for when it is done by the plan', () => {
    const forecast = { finishAtMs: NOW_MS + 8_400_000, spreadMs: 900_000, next: null, expiresAtMs: null };
    const outlook = { kind: 'waiting', laneId: 'gemini/flash', untilMs: NOW_MS + 3_600_000 } as const;
    expect(draw(aView({ outlook, forecast }))).toMatch(
      /waiting; next: gemini\/flash opens \d\d:00 \(in 1 h 00 min\) · done about \d\d:20 ±15 min/u,
    );
  });

  it('shows the counts, the pace and what each window of a lane has left', () => {
    const limits = [
      aLimit({ used: 18, freesAtMs: NOW_MS + 12_000 }),
      aLimit({ metric: 'tokens', windowKind: 'refill', perMs: 86_400_000, amount: 200_000, used: 20_000 }),
    ];
    const picture = draw(aView({ failed: 3, parked: 12, lanes: [aLaneView({ calls: 18, limits })] }), 120);
    expect(picture).toContain('450 of 4,500 lines  10 %');
    expect(picture).toContain('3 failed · 12 parked · 8 under way · 84 lines/min');
    expect(picture).toContain('req/min 12/30');
    expect(picture).toContain('tok/day 180k/200k');
    expect(picture).toContain('12 s');
  });

  it('says what everything waits for', () => {
    const outlook = { kind: 'waiting', laneId: 'gemini/flash', untilMs: NOW_MS + 3_600_000 } as const;
    expect(draw(aView({ underWay: 0, outlook }))).toContain('waiting; next: gemini/flash opens');
    expect(draw(aView({ underWay: 0, outlook }))).toContain('(in 1 h 00 min)');
  });

  it('says until when it waits for its hours, and no pace beside it', () => {
    const outlook = { kind: 'outside-hours', untilMs: NOW_MS + 7_200_000 } as const;
    const picture = draw(aView({ underWay: 0, outlook }));
    expect(picture).toMatch(/waits until .* \(in 2 h 00 min\) for its hours/u);
    expect(picture).not.toContain('lines/min');
  });

  it('folds idle lanes when there are more than rows, and keeps the busy ones', () => {
    const idle = Array.from({ length: 12 }, (_, index) => aLaneView({ laneId: `idle/${index}` }));
    const busy = aLaneView({ laneId: 'busy/one', callsUnderWay: 2, calls: 5, state: { kind: 'busy' } });
    const picture = draw(aView({ lanes: [...idle, busy] }), 100, 12);
    expect(picture).toContain('busy/one');
    expect(picture).toMatch(/… and 7 more lanes idle/);
  });

  it('says why a lane is closed, and calls for the user when only a person can open it', () => {
    const state = {
      kind: 'closed',
      scope: 'groq',
      untilMs: NOW_MS + 1,
      reason: 'HTTP 401: invalid key',
      needsUser: true,
    } as const;
    expect(draw(aView({ lanes: [aLaneView({ state })] }))).toContain('! groq/small');
    expect(draw(aView({ lanes: [aLaneView({ state })] }))).toContain('needs you: HTTP 401: invalid key');
  });

  it('says under the table in full what the user is needed for, once for each provider', () => {
    const reason = 'HTTP 402: this account has no credit left, add some at the console';
    const state = { kind: 'closed', scope: 'groq', untilMs: NOW_MS, reason, needsUser: true } as const;
    const lanes = [aLaneView({ state }), aLaneView({ laneId: 'groq/large', state })];
    expect(draw(aView({ lanes })).split('\n').at(-1)).toBe(`! needs you: groq: ${reason}`);
  });

  it('says under the table why lanes are closed, at most three and only where the table cuts the reason', () => {
    const long = 'HTTP 429: the daily quota is used up, ask after midnight';
    const lanes = [closed('zai', 'HTTP 500'), ...['a', 'b', 'c', 'd'].map((scope) => closed(scope, long))];
    const below = draw(aView({ lanes })).split('\n').slice(-3);
    expect(below.map((line) => line.slice(0, 17))).toEqual(
      ['a', 'b', 'c'].map((id) => `× ${id}: closed until`),
    );
    expect(below.every((line) => line.endsWith(`: ${long}`))).toBe(true);
    expect(draw(aView({ lanes }), 100, 10)).not.toContain(`: closed until`);
  });

  it('puts the tightest limit first, a day that is used up before all others', () => {
    const limits = [
      aLimit({ used: 30 }),
      aLimit({ metric: 'tokens', amount: 8_000, used: 100 }),
      aLimit({ perMs: 86_400_000, amount: 1_000, used: 1_000 }),
    ];
    expect(draw(aView({ lanes: [aLaneView({ limits })] }), 140)).toMatch(
      /req\/day 0\/1k .*req\/min 0\/30 .*tok\/min/u,
    );
  });

  it('never foresees an end in less than a second', () => {
    const outlook = { kind: 'pace', finishAtMs: NOW_MS + 40 } as const;
    expect(draw(aView({ outlook }))).toContain('ETA 1 s (');
  });

  it('keeps the bar and the counts when there are two rows only', () => {
    const picture = draw(aView({ lanes: [aLaneView()] }), 80, 2);
    expect(picture).toContain('450 of 4,500');
    expect(picture).toContain('0 failed');
  });

  it('marks a limit that refusals have lowered, and says so once where there is room', () => {
    const evidence = { sinceMs: NOW_MS, lastAtMs: NOW_MS, refusals: 3, reason: 'no', probeAtMs: NOW_MS };
    const shared = aLimit({ scope: 'groq', amount: 21, declaredAmount: 30, evidence });
    const lanes = ['groq/a', 'groq/b'].map((laneId) => aLaneView({ laneId, limits: [shared] }));
    const text = draw(aView({ lanes }));
    expect(text.match(/req\/min 21\/21↓/gu)).toHaveLength(2);
    expect(text.match(/lowered: groq req\/min to 21 of 30 after 3 refusals/gu)).toHaveLength(1);
    expect(draw(aView({ lanes }), 100, 7)).not.toContain('lowered');
  });
});
