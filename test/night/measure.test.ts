import { expect, test } from 'vitest';
import { MINUTE_MS, rolling } from '../../scripts/night/limits.ts';
import { measureRun, nightFrom } from '../../scripts/night/run/measure.ts';
import { asNightTime } from '../../scripts/night/run/night-time.ts';
import type { CallRecord, Outcome } from '../../src/simulator/call-log.ts';
import { alikeDocuments, laneOf, nightOf } from './a-night.ts';

const START_MS = Date.UTC(2026, 10, 20, 12, 0);

const callAt = (
  afterMs: number,
  documentId: string,
  outcome: Outcome = { kind: 'succeeded' },
): CallRecord => ({
  sequence: 1,
  arrivedAtMs: START_MS + afterMs,
  durationMs: 1_000,
  provider: 'a',
  model: 'model',
  messagesHash: documentId,
  customId: null,
  status: 200,
  outcome,
  promptTokens: outcome.kind === 'rejected' ? 0 : 90,
  completionTokens: outcome.kind === 'succeeded' ? 10 : 0,
  reservedOutputTokens: 10,
  fault: null,
});

const REJECTED: Outcome = { kind: 'rejected', limit: '2 requests per 60s (rolling)' };
const FAILED: Outcome = { kind: 'failed', failure: 'http-500' };

const night = nightOf(
  [laneOf('a', { limits: [rolling('requests', 2)], concurrency: 1 })],
  alikeDocuments(3, 100),
  { deadlineMs: MINUTE_MS },
);

test('a run lasts from its first call, whatever came of it, to the end of its last answer', () => {
  const calls = [
    callAt(500, 'x', FAILED),
    callAt(2_000, 'x'),
    callAt(120_500, 'y'),
    callAt(130_000, 'z', REJECTED),
  ];
  const figures = measureRun(night, calls);
  expect(figures).toMatchObject({
    firstCallAtMs: START_MS + 500,
    makespanMs: 121_000,
    calls: 4,
    rejected: 1,
    failed: 1,
    documentsDone: 2,
    doneByDeadline: 1,
    rejections: { 'a/model: 2 requests per 60s (rolling)': 1 },
  });
});

test('nine tenths of the documents are done when so many different ones have been answered', () => {
  const ten = { ...night, documents: alikeDocuments(10, 100) };
  const calls = 'abcdefghij'.split('').map((id, index) => callAt(index * 10_000, id));
  expect(measureRun(ten, [...calls, callAt(15_000, 'a')]).nineTenthsMs).toBe(81_000);
});

test('a document that was answered twice is one document', () => {
  expect(measureRun(night, [callAt(0, 'x'), callAt(5_000, 'x')]).documentsDone).toBe(1);
});

test('the use of a lane is that of its fullest bound, and refused calls use nothing', () => {
  // Three windows have an instant in two minutes and a second: six requests might have been made.
  const calls = [callAt(0, 'x'), callAt(60_000, 'y'), callAt(90_000, 'z', REJECTED), callAt(120_000, 'z')];
  const [lane] = measureRun(night, calls).lanes;
  expect(lane).toMatchObject({
    laneId: 'a/model',
    succeeded: 3,
    tokens: 300,
    binding: '2 requests per 60s (rolling)',
  });
  expect(lane?.share).toBeCloseTo(3 / 6);
});

test('a log without an answer is no run', () => {
  expect(() => measureRun(night, [callAt(0, 'x', FAILED)])).toThrow('Expected at least one call');
});

test('a night that began later has its faults that much sooner', () => {
  const faults = [{ provider: 'a', kind: 'dead', fromMs: 10_000, untilMs: 90_000 }] as const;
  const later = nightFrom({ ...night, faults }, night.startsAtMs + 30_000);
  expect(later.startsAtMs).toBe(night.startsAtMs + 30_000);
  expect(later.faults).toEqual([{ provider: 'a', kind: 'dead', fromMs: 0, untilMs: 60_000 }]);
});

test('times of a night are told in hours and minutes', () => {
  expect([30_000, 9 * MINUTE_MS, 41 * MINUTE_MS, 125.4 * MINUTE_MS, Number.NaN].map(asNightTime)).toEqual([
    '0.5 min',
    '9.0 min',
    '41 min',
    '2 h 05 min',
    '-',
  ]);
});
