import { describe, expect, it } from 'vitest';
import type { BatchStatus } from '../../src/app/batches.ts';
import type { Progress } from '../../src/app/progress.ts';
import { batchListLines, batchSentence, batchState, statusLines } from '../../src/cli/display/batch-text.ts';
import { clockTime, durationText } from '../../src/cli/text/quantity.ts';
import { ANY_TERMS, type BatchTerms } from '../../src/core/batch-terms.ts';
import { hoursAfter } from '../contracts/night-windows.ts';
import { aBatch } from '../app/fakes.ts';
import { aLane, NOW_MS } from './a-progress-view.ts';

/** Before its hours, which begin at OPENS_MS. */
const OUTSIDE: BatchTerms = { nightWindow: hoursAfter(NOW_MS, 2, 3), priority: 0, deadlineAtMs: null };
const OPENS_MS = (Math.floor(NOW_MS / 3_600_000) + 2) * 3_600_000;

describe('a batch in words', () => {
  it('has a state that reads as one', () => {
    expect(batchState(aBatch(), NOW_MS)).toBe('in progress');
    expect(batchState(aBatch({ isPaused: true }), NOW_MS)).toBe('paused');
    expect(batchState(aBatch({ state: 'cancelling' }), NOW_MS)).toBe('cancelling');
    expect(batchState(aBatch({ state: 'completed' }), NOW_MS)).toBe('completed');
  });

  it('is one sentence that counts only what there is', () => {
    expect(batchSentence(aBatch({ id: 3, total: 40, succeeded: 12 }), NOW_MS)).toBe(
      'Batch "docs" (3) is in progress: 12 of 40 lines done.',
    );
    const mixed = aBatch({
      total: 4_500,
      succeeded: 1_195,
      failed: 2,
      bad: 3,
      cancelled: 1,
      expired: 5,
      state: 'cancelling',
    });
    expect(batchSentence(mixed, NOW_MS)).toBe(
      'Batch "docs" (1) is cancelling: 1,206 of 4,500 lines done, 2 failed, 3 bad, 1 cancelled, 5 expired.',
    );
    expect(batchSentence(aBatch({ total: 1, succeeded: 1, state: 'completed' }), NOW_MS)).toContain(
      '1 of 1 line done',
    );
  });

  it('says until when it waits for its hours, unless it is paused or over', () => {
    const waiting = aBatch({ terms: OUTSIDE });
    expect(batchState(waiting, NOW_MS)).toBe(`waits until ${clockTime(OPENS_MS, NOW_MS)}`);
    expect(batchSentence(waiting, NOW_MS)).toBe(
      `Batch "docs" (1) waits until ${clockTime(OPENS_MS, NOW_MS)} (in ${durationText(OPENS_MS - NOW_MS)}) for its hours: 0 of 4 lines done.`,
    );
    expect(batchState(waiting, OPENS_MS)).toBe('in progress');
    expect(batchState({ ...waiting, isPaused: true }, NOW_MS)).toBe('paused');
    expect(batchState({ ...waiting, state: 'expired' }, NOW_MS)).toBe('expired');
  });

  it('stays on one line whatever it is called', () => {
    const sentence = batchSentence(aBatch({ name: 'two\nlines\u001b[31m' }), NOW_MS);
    expect(sentence).not.toContain('\n');
    expect(sentence).not.toContain('\u001b');
  });
});

describe('a list of batches', () => {
  it('has a line for each under its titles', () => {
    const batches = [
      aBatch({ id: 12, name: 'mail', isPaused: true }),
      aBatch({ id: 3, succeeded: 4, failed: 0 }),
    ];
    const [titles, first, second, ...others] = batchListLines(batches, NOW_MS);
    expect(others).toEqual([]);
    expect(titles).toMatch(/^id +batch +state +done +lines +failed +bad +submitted/u);
    expect(first).toMatch(/^12 +mail +paused +0 +4 +0 +0 /u);
    expect(second).toMatch(/^ 3 +docs +in progress +4 +4 +0 +0 /u);
  });

  it('has the terms of those that have some', () => {
    const terms = { ...OUTSIDE, priority: -5, deadlineAtMs: NOW_MS + 3 * 3_600_000 };
    const [titles, first, second] = batchListLines([aBatch({ terms }), aBatch()], NOW_MS);
    expect(titles).toMatch(/ submitted +terms$/u);
    expect(first).toMatch(/waits until .*\d\d:\d\d-\d\d:\d\d, priority -5, by .*\d\d:\d\d$/u);
    expect(second).not.toContain('priority');
  });

  it('says how to begin where there is none', () => {
    expect(batchListLines([], NOW_MS)).toEqual(['No batch yet: `npx nightshift submit INPUT.jsonl`.']);
  });
});

/** A batch on one of two lanes. */
const status = (changes: Partial<Progress> = {}, warnings: readonly string[] = []): BatchStatus => ({
  progress: {
    atMs: NOW_MS,
    batch: aBatch({ promptTokens: 1_000, completionTokens: 200 }),
    parked: 0,
    nextDueAtMs: null,
    savings: null,
    underWay: 2,
    forecast: null,
    lanes: [aLane({ callsUnderWay: 2, calls: 40 }), aLane({ laneId: 'other/large' })],
    ...changes,
  },
  laneIds: ['groq/small'],
  warnings,
});

describe('the status of a batch', () => {
  it('shows the lanes of the batch, and no others', () => {
    const text = statusLines(status()).join('\n');
    expect(text).toContain('2 under way, 0 parked; 1,000 tokens in, 200 out');
    expect(text).toMatch(/lane +workers +under way +calls +state/u);
    expect(text).toMatch(/groq\/small +1 +2 +40 +calling/u);
    expect(text).not.toContain('other/large');
  });

  it('names the policy of the batch, where it has one', () => {
    const policy = { forbidsTraining: false, regions: [], only: ['groq'], except: [] };
    const lines = statusLines(status({ batch: aBatch({ policy }) }));
    expect(lines).toContain('  only on lanes that `--only groq` allows');
    expect(statusLines(status()).join('\n')).not.toContain('allows');
  });

  it('says what was spent and saved, where there is anything to say', () => {
    const batch = aBatch({ maxCostNanoDollars: 2_500_000_000, spentNanoDollars: 420_000_000 });
    const savings = { against: 'openai/gpt-4o-mini', nanoDollars: 7_100_000_000 };
    const lines = statusLines(status({ batch, savings }));
    expect(lines).toContain('  spent $0.42 of $2.50; saved $7.10 against openai/gpt-4o-mini');
    expect(statusLines(status()).join('\n')).not.toContain('$');
  });

  it('names the terms of the batch that are not as usual, until it is over', () => {
    const terms = { ...OUTSIDE, priority: 7, deadlineAtMs: NOW_MS + 3 * 3_600_000 };
    const text = statusLines(status({ batch: aBatch({ terms }) })).join('\n');
    expect(text).toMatch(/only between \d\d:\d\d and \d\d:\d\d \(UTC\): waits until .* \(in .*\)/u);
    expect(text).toContain('priority 7');
    expect(text).toMatch(/deadline .* \(in 3 h 00 min\): what is not under way then expires/u);
    expect(statusLines(status()).join('\n')).not.toMatch(/between|priority|deadline/u);
    const over = aBatch({ terms, total: 2, succeeded: 2, failed: 0, bad: 0, cancelled: 0, expired: 0 });
    expect(statusLines(status({ batch: over })).join('\n')).not.toMatch(/between|priority|deadline/u);
  });

  it('says when it will be done, where a plan says so', () => {
    const forecast = {
      madeAtMs: NOW_MS - 4_000,
      finishAtMs: NOW_MS + 8_400_000,
      spreadMs: 900_000,
      next: { scope: 'groq', atMs: NOW_MS + 3_600_000 },
    };
    expect(statusLines(status({ forecast }))).toContainEqual(
      expect.stringMatching(/^ {2}next: groq resets \d\d:00 · done about \d\d:20 ±15 min$/u),
    );
    expect(statusLines(status()).join('\n')).not.toContain('done about');
  });

  it('says that its deadline comes before it would be done', () => {
    const forecast = { madeAtMs: NOW_MS, finishAtMs: NOW_MS + 8_400_000, spreadMs: 900_000, next: null };
    const by = (hours: number): string => {
      const terms = { ...ANY_TERMS, deadlineAtMs: NOW_MS + hours * 3_600_000 };
      return statusLines(status({ forecast, batch: aBatch({ terms }) })).join('\n');
    };
    expect(by(2)).toMatch(/done about \d\d:20 ±15 min, but its deadline is \d\d:00$/mu);
    expect(by(3)).toMatch(/done about \d\d:20 ±15 min$/mu);
  });

  it('says when the next parked line goes on, and that a lane is paused', () => {
    const lanes = [aLane({ isPaused: true })];
    const text = statusLines(status({ parked: 3, nextDueAtMs: NOW_MS + 60_000, lanes })).join('\n');
    expect(text).toMatch(/3 parked \(the next until .+\);/u);
    expect(text).toMatch(/groq\/small .*paused/u);
    const avoiding = statusLines(status({ parked: 0, nextDueAtMs: NOW_MS + 60_000 })).join('\n');
    expect(avoiding).toContain('0 parked;');
  });

  it('has no table without lanes, and each warning on one line', () => {
    const lines = statusLines(status({ lanes: [] }, ['No live worker\nserves it.']));
    expect(lines).toHaveLength(3);
    expect(lines.at(-1)).toMatch(/^warning: No live worker.serves it\.$/u);
  });
});
