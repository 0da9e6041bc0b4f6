import { describe, expect, it } from 'vitest';
import { ANY_TERMS } from '../../src/core/batch-terms.ts';
import type { Batch } from '../../src/app/batch-store.ts';
import {
  resumeCommandOf,
  type RunReport,
  shellQuoted,
  summaryJson,
  summaryLines,
} from '../../src/cli/display/summary.ts';
import { exitCodeOf } from '../../src/cli/commands/run.ts';
import { aLane, NOW_MS } from './a-progress-view.ts';

const aReport = (
  batch: Partial<Batch> = {},
  changes: Partial<Omit<RunReport, 'progress'>> & { readonly lanes?: RunReport['progress']['lanes'] } = {},
): RunReport => ({
  end: 'finished',
  progress: {
    atMs: NOW_MS,
    batch: {
      id: 1,
      identity: 'x',
      name: 'to night',
      state: 'completed',
      isPaused: false,
      policy: null,
      maxCostNanoDollars: null,
      spentNanoDollars: 0,
      heldNanoDollars: 0,
      refusedNanoDollars: null,
      terms: ANY_TERMS,
      deadlineText: null,
      outputPath: '/o.jsonl',
      errorPath: '/o.errors.jsonl',
      createdAtMs: 0,
      completedAtMs: NOW_MS,
      total: 10,
      bad: 0,
      succeeded: 10,
      failed: 0,
      cancelled: 0,
      expired: 0,
      promptTokens: 1_000,
      completionTokens: 200,
      ...batch,
    },
    parked: 0,
    nextDueAtMs: null,
    savings: null,
    underWay: 0,
    forecast: null,
    lanes: changes.lanes ?? [],
  },
  laneTotals: [
    { laneId: 'groq/a', calls: 11, succeeded: 10, rejected: 1, promptTokens: 1_000, completionTokens: 200 },
  ],
  isServed: false,
  notices: [],
  outputPath: '/o.jsonl',
  errorPath: '/o.errors.jsonl',
  durationMs: 61_000,
  resumeCommand: 'nightshift run a.jsonl',
  ...changes,
});

const stuckText = (lanes: RunReport['progress']['lanes']): string =>
  summaryLines(aReport({ succeeded: 4 }, { end: 'stuck', lanes })).join('\n');

describe('the summary of a run', () => {
  it('exits with 0 and names the output alone when all succeeded', () => {
    const text = summaryLines(aReport()).join('\n');
    expect(exitCodeOf(aReport())).toBe(0);
    expect(text).toContain('10 lines: 10 succeeded, 0 failed, 0 bad');
    expect(text).toMatch(/groq\/a +11 +1 +1,000 +200/);
    expect(text).toContain('Output: /o.jsonl');
    expect(text).not.toContain('Errors:');
  });

  it('exits with 2, names the errors and how to ask why when a line failed', () => {
    const report = aReport({ succeeded: 8, failed: 1, bad: 1 });
    const text = summaryLines(report).join('\n');
    expect(exitCodeOf(report)).toBe(2);
    expect(text).toContain('Errors: /o.errors.jsonl');
    expect(text).toContain("npx nightshift explain 'to night' CUSTOM_ID");
  });

  it('exits with 2, and says how to go on when the deadline came first', () => {
    const report = aReport({ succeeded: 7, expired: 3, state: 'expired' });
    const text = summaryLines(report).join('\n');
    expect(exitCodeOf(report)).toBe(2);
    expect(text).toContain('7 succeeded, 0 failed, 0 bad, 3 expired');
    expect(text).toContain('Errors: /o.errors.jsonl');
    expect(text).toMatch(/npx nightshift retry \d+, then the same again/u);
    expect(summaryJson(report, 2)).toMatchObject({
      exitReason: 'its deadline came before it was done',
      lines: { succeeded: 7, expired: 3, open: 0 },
      errors: '/o.errors.jsonl',
    });
  });

  it('exits with 130 and shows how to go on when it was interrupted', () => {
    const report = aReport({ succeeded: 4 }, { end: 'interrupted' });
    const text = summaryLines(report).join('\n');
    expect(exitCodeOf(report)).toBe(130);
    expect(text).toContain('6 still to do');
    expect(text).toContain('  nightshift run a.jsonl');
  });

  it('exits with 1 and names what each provider needs when it is stuck', () => {
    const closing = { scope: 'groq', untilMs: NOW_MS, kind: 'bad-key', reason: 'HTTP 401', needsUser: true };
    const report = aReport({ succeeded: 4 }, { end: 'stuck', lanes: [aLane({ closing })] });
    expect(exitCodeOf(report)).toBe(1);
    expect(summaryLines(report).join('\n')).toContain(
      'groq: its key was refused; set a valid one (`npx nightshift doctor` names the variable) (HTTP 401)',
    );
  });

  it('says that the rest waits for money where no key does, and how to give it more', () => {
    const batch = {
      succeeded: 4,
      maxCostNanoDollars: 2_500_000_000,
      spentNanoDollars: 2_499_000_000,
      refusedNanoDollars: 2_000_000,
    };
    const report = aReport(batch, { end: 'stuck', lanes: [aLane()] });
    const text = summaryLines(report).join('\n');
    expect(text).toContain('  spent $2.50 of $2.50');
    expect(text).toContain(
      'The 6 lines that are left wait for money: no free lane can take them, and what is left of the budget covers no further call.',
    );
    expect(text).toContain('With a larger --max-cost, run the same again:');
    expect(exitCodeOf(report)).toBe(1);
  });

  it('says that every lane waits only when every lane does', () => {
    const closing = { scope: 'groq', untilMs: NOW_MS, kind: 'no-money', reason: 'HTTP 402', needsUser: true };
    const closed = aLane({ closing });
    const open = aLane({ laneId: 'gemini/flash', providerId: 'gemini' });
    expect(stuckText([closed])).toContain('Every lane this batch may use waits for you:');
    expect(stuckText([closed, open])).toContain('These providers wait for you;');
    expect(stuckText([closed, open])).not.toContain('gemini');
  });

  it('is one object for programs, with the reason of its exit code', () => {
    expect(summaryJson(aReport({ succeeded: 9, failed: 1 }), 2)).toMatchObject({
      exitCode: 2,
      exitReason: 'some lines failed or were bad',
      lines: { total: 10, succeeded: 9, failed: 1, bad: 0, open: 0 },
      output: '/o.jsonl',
      errors: '/o.errors.jsonl',
      cost: { maxNanoDollars: null, spentNanoDollars: 0, heldNanoDollars: 0 },
      savings: null,
    });
  });
});

describe('the command that resumes', () => {
  it('is the same command, quoted for a shell, without what would begin anew', () => {
    expect(resumeCommandOf(['run', 'my file.jsonl', '--fresh', '--limit', '3'])).toBe(
      "npx nightshift run 'my file.jsonl' --limit 3",
    );
    expect(shellQuoted("it's")).toBe(`'it'\\''s'`);
  });
});
