import { describe, expect, it } from 'vitest';
import type { BatchStatus } from '../../src/app/batches.ts';
import type { Progress } from '../../src/app/progress.ts';
import { batchListLines, batchSentence, batchState, statusLines } from '../../src/cli/display/batch-text.ts';
import { aBatch } from '../app/fakes.ts';
import { aLane, NOW_MS } from './a-progress-view.ts';

describe('a batch in words', () => {
  it('has a state that reads as one', () => {
    expect(batchState(aBatch())).toBe('in progress');
    expect(batchState(aBatch({ isPaused: true }))).toBe('paused');
    expect(batchState(aBatch({ state: 'cancelling' }))).toBe('cancelling');
    expect(batchState(aBatch({ state: 'completed' }))).toBe('completed');
  });

  it('is one sentence that counts only what there is', () => {
    expect(batchSentence(aBatch({ id: 3, total: 40, succeeded: 12 }))).toBe(
      'Batch "docs" (3) is in progress: 12 of 40 lines done.',
    );
    const mixed = aBatch({
      total: 4_500,
      succeeded: 1_200,
      failed: 2,
      bad: 3,
      cancelled: 1,
      state: 'cancelling',
    });
    expect(batchSentence(mixed)).toBe(
      'Batch "docs" (1) is cancelling: 1,206 of 4,500 lines done, 2 failed, 3 bad, 1 cancelled.',
    );
    expect(batchSentence(aBatch({ total: 1, succeeded: 1, state: 'completed' }))).toContain(
      '1 of 1 line done',
    );
  });

  it('stays on one line whatever it is called', () => {
    const sentence = batchSentence(aBatch({ name: 'two\nlines\u001b[31m' }));
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
    underWay: 2,
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

  it('says when the next parked line goes on, and that a lane is paused', () => {
    const lanes = [aLane({ isPaused: true })];
    const text = statusLines(status({ parked: 3, nextDueAtMs: NOW_MS + 60_000, lanes })).join('\n');
    expect(text).toMatch(/3 parked \(the next until .+\);/u);
    expect(text).toMatch(/groq\/small .*paused/u);
  });

  it('has no table without lanes, and each warning on one line', () => {
    const lines = statusLines(status({ lanes: [] }, ['No live worker\nserves it.']));
    expect(lines).toHaveLength(3);
    expect(lines.at(-1)).toMatch(/^warning: No live worker.serves it\.$/u);
  });
});
