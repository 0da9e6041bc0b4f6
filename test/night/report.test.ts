import { expect, test } from 'vitest';
import { closingReport, nightReport } from '../../scripts/night/run/report.ts';
import type { RunFigures } from '../../scripts/night/run/measure.ts';
import type { ContenderName, ContenderResult, NightResult } from '../../scripts/night/run/run-night.ts';
import { MINUTE_MS } from '../../scripts/night/limits.ts';

const figuresOf = (makespanMinutes: number, rejected: number): RunFigures => ({
  firstCallAtMs: 0,
  makespanMs: makespanMinutes * MINUTE_MS,
  nineTenthsMs: 80 * MINUTE_MS,
  calls: 1_000,
  rejected,
  failed: 0,
  documentsDone: 990,
  doneByDeadline: null,
  lanes: [
    { laneId: 'a/model', succeeded: 990, tokens: 9_900, binding: '2 requests per 60s (rolling)', share: 0.9 },
  ],
  rejections: rejected === 0 ? {} : { 'a/model: 2 requests per 60s (rolling)': rejected },
});

const runOf = (name: ContenderName, minutes: number, rejected = 0): ContenderResult => ({
  name,
  fault: null,
  figures: figuresOf(minutes, rejected),
  ratio: minutes / 100,
  forecast: name === 'ours' ? { atStart: 0.93, atHalf: 1.02 } : null,
  realMs: 60_000,
  machineDelayMs: 500,
});

const resultOf = (shape: string, ours: ContenderResult, pull: ContenderResult): NightResult => ({
  shape,
  seed: 1,
  documents: 990,
  tokens: 9_900,
  fitNowhere: 0,
  least: {
    leastMs: 100 * MINUTE_MS,
    mostByDeadline: null,
    lanes: [{ laneId: 'a/model', documents: 990, tokens: 9_900 }],
  },
  runs: [ours, pull],
});

/** Columns are as wide as they have to be. */
const narrow = (text: string): string => text.replaceAll(/ {2,}/gu, ' ');

test('a night is told by its times, its rejections and the use of its lanes', () => {
  const text = narrow(nightReport(resultOf('mixed', runOf('ours', 110, 2), runOf('pull', 240))));
  expect(text).toContain('least possible 1 h 40 min 1.00x');
  expect(text).toContain('Nightshift 1 h 50 min 1.10x 1,000 2 0.20 % 0 1 h 20 min 60 s 0.5 s');
  expect(text).toContain('pull loop 4 h 00 min 2.40x');
  expect(text).toContain('a/model 990 990 90 % 2 requests per 60s (rolling)');
  expect(text).toContain(
    'Nightshift said it would take, of what it took: 93 % at the start, 102 % at half time',
  );
  expect(text).toContain('rejected, Nightshift: 2 by a/model: 2 requests per 60s (rolling)');
});

test('at the end stand the median and the worst, and mixed nights against the pull loop', () => {
  const text = narrow(
    closingReport([
      resultOf('mixed', runOf('ours', 110, 2), runOf('pull', 240)),
      resultOf('alike', runOf('ours', 105), runOf('pull', 110)),
      resultOf('mixed', runOf('ours', 130), runOf('pull', 260)),
    ]),
  );
  expect(text).toContain('Nightshift 1.10x 1.30x 3,000 2 0.067 % 0');
  expect(text).toContain('pull loop 2.40x 2.60x 3,000 0 0.000 % 0');
  expect(text).toContain("Nightshift took 0.50x of the pull loop's time (median), 0.50x at worst");
});

test('a run that was given up says why, and is counted', () => {
  const given = { ...runOf('pull', 600), fault: 'given up: it took too long' };
  const result = resultOf('mixed', runOf('ours', 110), given);
  expect(nightReport(result)).toContain('pull loop: given up: it took too long');
  expect(narrow(closingReport([result]))).toContain('pull loop 6.00x 6.00x 1,000 0 0.000 % 1');
});
