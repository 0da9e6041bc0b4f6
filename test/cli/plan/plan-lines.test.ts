import { describe, expect, it } from 'vitest';
import type { BatchTerms } from '../../../src/core/batch-terms.ts';
import { planLines } from '../../../src/cli/plan/plan-lines.ts';
import type { KnownBatch, PlanReport } from '../../../src/cli/plan/plan-report.ts';
import { lineWidth, paint } from '../../../src/cli/text/styled.ts';
import { aLaneForecast, aReport, HOUR_MS, MINUTE_MS, NIGHT_MS } from './a-report.ts';

const textOf = (report: PlanReport, columns = Infinity): string =>
  planLines(report, columns)
    .map((line) => paint(line, false).trimEnd())
    .join('\n');

const DAY_LIMIT = {
  scope: 'groq/gpt-oss-20b',
  metric: 'requests',
  window: { kind: 'calendar', unit: 'day', timeZone: 'UTC' },
  amount: 1_000,
  used: 0,
  freeings: [],
  marginMs: 0,
} as const;

const isTable = (text: string): boolean => /groq\/|^lane /u.test(text);

const anAddition = {
  providerId: 'mistral',
  finishAtMs: NIGHT_MS + HOUR_MS,
  linesLeft: 0,
  lines: 1_500,
  tooLargeLines: 0,
};

describe('a forecast as it is printed', () => {
  it('says what there is to do and when it is done', () => {
    const text = textOf(aReport());
    expect(text).toContain('docs: 4,000 lines to run\n');
    expect(text).toContain('4,800,000 tokens in, about 640,000 out (answers a third of what they may be).');
    expect(textOf(aReport({ answersToldBy: 'others' }))).toContain(
      '(answers as long as those of other batches)',
    );
    expect(text).toContain(
      'Done about tomorrow 02:40 (in 3 h 10 min), between tomorrow 02:25 and tomorrow 03:20.',
    );
  });

  it('names the bad lines, what is too long, and what no lane takes as it stands', () => {
    const text = textOf(
      aReport({
        bad: { first: ['line 7: invalid_json_line: Oops.'], count: 12 },
        tooLarge: { lines: 1, largestPromptTokens: 132_000 },
        unplannableLines: 3,
      }),
    );
    expect(text).toContain(
      '4,000 lines to run, 12 bad:\n  line 7: invalid_json_line: Oops.\n  … and 11 more',
    );
    expect(text).toContain(
      '1 line is too long for every lane of the pool; the largest prompt has 132,000 tokens.',
    );
    expect(text).toContain('3 lines fit no lane as they stand');
  });

  it('says of each lane how much it takes, what binds it and when it first waits', () => {
    const firstWait = {
      limit: DAY_LIMIT,
      atMs: NIGHT_MS + 20 * MINUTE_MS,
      untilMs: NIGHT_MS + 9 * HOUR_MS,
    };
    const shut = aLaneForecast({ laneId: 'cohere/r7b', lines: 0, share: 0, state: { kind: 'needs-user' } });
    const idle = aLaneForecast({ laneId: 'zai/flash', lines: 0, share: 0 });
    const text = textOf(aReport({ lanes: [aLaneForecast({ binding: DAY_LIMIT, firstWait }), shut, idle] }));
    expect(text).toMatch(
      /groq\/gpt-oss-20b +1,000 +25 % +1,200,000 +150,000 +1,000 requests a day +23:50, until tomorrow 08:30$/mu,
    );
    expect(text).toMatch(/cohere\/r7b .* needs you/u);
    const opens = { kind: 'opens', atMs: NIGHT_MS + 10 * MINUTE_MS } as const;
    expect(textOf(aReport({ lanes: [aLaneForecast({ firstWait, state: opens })] }))).toContain(
      'opens 23:40, waits from 23:50, until tomorrow 08:30',
    );
    expect(text).toContain('Not needed: zai/flash.');
    const many = Array.from({ length: 40 }, (_, index) => ({ ...idle, laneId: `zai/flash-${index}` }));
    expect(textOf(aReport({ lanes: many }))).toMatch(/Not needed: .*zai\/flash-11 and 28 more\.$/mu);
  });

  it('shows the lanes of which any may take the only line', () => {
    const any = ['groq/a', 'mistral/b', 'zai/c'].map((laneId) =>
      aLaneForecast({ laneId, lines: 1 / 3, share: 1 / 3 }),
    );
    const hardly = aLaneForecast({ laneId: 'cohere/d', lines: 1e-6, share: 1e-6 });
    const text = textOf(aReport({ lines: 1, lanes: [...any, hardly] }));
    expect(text).toMatch(/^ *groq\/a +<1 +33 %/mu);
    expect(text).toMatch(/^ *zai\/c +<1 +33 %/mu);
    expect(text).toContain('Not needed: cohere/d.');
  });

  it('says that a limit of the provider counts all its lanes', () => {
    const text = textOf(aReport({ lanes: [aLaneForecast({ binding: { ...DAY_LIMIT, scope: 'groq' } })] }));
    expect(text).toContain('1,000 requests a day (all of groq)');
  });

  it('names the free tiers that would help, the best first, and how to get their keys', () => {
    const second = {
      ...anAddition,
      providerId: 'gemini',
      finishAtMs: NIGHT_MS + 2 * HOUR_MS,
      tooLargeLines: 2,
    };
    const text = textOf(aReport({ additions: [anAddition, second] }));
    expect(text).toMatch(/Mistral.*: done about tomorrow 00:30, 2 h 10 min sooner, taking 1,500 lines\./u);
    expect(text).toContain('export MISTRAL_API_KEY=...');
    expect(text).toMatch(/Gemini.* and 2 of those that are too long now\./u);
    const hardly = { ...second, finishAtMs: NIGHT_MS + 3 * HOUR_MS + 9.5 * MINUTE_MS };
    expect(textOf(aReport({ additions: [hardly] }))).not.toContain('sooner');
    expect(textOf(aReport())).toContain(
      'No free tier of the catalog that is not on yet would make it much shorter.',
    );
  });

  it('says where nothing is on that it is about the catalog', () => {
    const text = textOf(aReport({ additions: [anAddition] }, { basis: 'catalog' }));
    expect(text).toContain('No provider is on here. All free tiers of the catalog together: done about');
    expect(text).toContain('The best to begin with, each alone:');
    expect(text).not.toContain('sooner');
  });

  it('counts what is left at a deadline, and names the ways out', () => {
    const deadline = {
      atMs: NIGHT_MS + 2 * HOUR_MS,
      linesLeft: 312,
      openMs: 2 * HOUR_MS,
      options: [
        { kind: 'provider', providerId: 'mistral', linesLeft: 0 },
        { kind: 'pool-all', linesLeft: 40 },
      ] as const,
    };
    const text = textOf(aReport({ deadline }, { hasPaidLane: true }));
    expect(text).toContain('By tomorrow 01:30 (in 2 h 00 min) 312 lines would be left.');
    expect(text).toMatch(/With Mistral.*: none\.\n/u);
    expect(text).toContain('With --pool all, every free lane that is on: 40.');
    expect(text).toContain('With --max-cost');
    expect(text).toContain('With time until tomorrow 03:20: none, most likely.');
    expect(textOf(aReport({ deadline: { ...deadline, linesLeft: 0 } }))).toContain(
      'all lines are done, if nothing comes between.',
    );
  });

  it('says of a deadline before its hours that nothing would be done, and offers no money', () => {
    const deadline = { atMs: NIGHT_MS + 2 * HOUR_MS, linesLeft: 312, openMs: 0, options: [] };
    const text = textOf(aReport({ deadline }, { hasPaidLane: true, hasBudget: true }));
    expect(text).toContain('None of its hours come before tomorrow 01:30 (in 2 h 00 min)');
    expect(text).not.toContain('--max-cost paid lanes');
  });

  it('keeps an end that is rounded within the hours of the batch', () => {
    const nightWindow = { fromMinute: 40, untilMinute: 41, timeZone: 'UTC' };
    const opensMs = Date.UTC(2026, 10, 23, 0, 40);
    const finish = { kind: 'at', atMs: opensMs, earliestMs: opensMs, latestMs: opensMs } as const;
    const terms = { nightWindow, priority: 0, deadlineAtMs: null };
    expect(textOf(aReport({ finish }, { terms }))).toContain('00:40');
  });

  it('says what only money can do', () => {
    const some = textOf(aReport({ paidOnlyLines: 3 }, { hasBudget: true }));
    expect(some).toContain('3 lines can only run on lanes that cost money: --max-cost pays for them');
    const all = { lines: 3, paidOnlyLines: 3, finish: { kind: 'never', lines: 3 } as const };
    expect(textOf(aReport(all, { hasBudget: true }))).toContain('All of it is for lanes that cost money');
  });

  it('is honest about lines that wait for a person', () => {
    const text = textOf(aReport({ finish: { kind: 'never', lines: 40 } }));
    expect(text).toContain('Nobody can tell when: 40 lines wait for lanes that only you can open');
    expect(text).not.toContain('Done about');
  });

  it('says that the file is a batch already', () => {
    const known = { id: 3, name: 'docs', linesDone: 1_240 };
    const about = (standing: KnownBatch['standing']): string =>
      textOf(aReport({}, { batch: { ...known, standing } }));
    expect(about('at-work')).toContain(
      'It is batch "docs" (3), with 1,240 lines done at 23:30:00; this is about the rest.',
    );
    expect(about('over')).toContain('which is over');
    expect(about('paused')).toContain('which is paused');
    expect(about('outside-hours')).toContain(
      'which waits for its hours with 1,240 lines done; this is about the whole file.',
    );
  });

  it('names the hours and the priority that it goes by, and that money is left out', () => {
    const terms: BatchTerms = {
      nightWindow: { fromMinute: 22 * 60, untilMinute: 7 * 60, timeZone: 'Europe/Berlin' },
      priority: 5,
      deadlineAtMs: null,
    };
    const text = textOf(aReport({}, { terms, hasBudget: true }));
    expect(text).toContain('\n  only between 22:00 and 07:00 (Europe/Berlin): ');
    expect(text).toContain('\n  priority 5\n');
    expect(text).toContain('Paid lanes are left out');
    expect(textOf(aReport())).not.toMatch(/only between|priority|Paid lanes/u);
  });

  it('has days in it where the night is longer than one', () => {
    const DAY_MS = 24 * HOUR_MS;
    const finish = {
      kind: 'at',
      atMs: NIGHT_MS + 2.2 * DAY_MS,
      earliestMs: NIGHT_MS + 1.9 * DAY_MS,
      latestMs: NIGHT_MS + 12 * DAY_MS,
    } as const;
    expect(textOf(aReport({ finish }))).toMatch(
      /Done about Monday 04:30 \(in 2 d 5 h\), between Sunday 21:00 and 2026-12-02 23:30\./u,
    );
  });

  it('wraps its sentences to the terminal', () => {
    const bad = { first: [`line 7: invalid_value: ${'words and '.repeat(30)}`], count: 1 };
    const lines = planLines(aReport({ bad, additions: [anAddition] }), 60);
    const tooWide = lines.filter((line) => lineWidth(line) > 60 && !isTable(paint(line, false)));
    expect(tooWide).toEqual([]);
  });
});
