import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classifyAnswer } from '../../../src/core/failures/classify-answer.ts';
import { classifyFailure } from '../../../src/core/failures/classify-failure.ts';
import type { ProviderSignal, TransportFault } from '../../../src/core/failures/evidence.ts';
import type { Failure } from '../../../src/core/failures/failure.ts';
import { nextStep } from '../../../src/core/failures/next-step.ts';
import { DIALECTS } from '../../../src/core/model.ts';
import { EVERY_FIXTURE } from './fixtures/every-fixture.ts';
import { type Fixture, NOW_MS } from './fixtures/fixture.ts';

const ASKED = { wantsJson: false, capTokens: 300, isCapOurs: true, promptText: () => 'Summarize this text.' };
const FRESH = {
  triesBefore: 0,
  badRequestsBefore: 0,
  sickBefore: 0,
  droppedParameters: [],
  capTokens: 300,
  laneMaxOutputTokens: 8_192,
  isTrial: false,
};

function signalOf({ dialect, status, headers = {}, body }: Fixture): ProviderSignal {
  const bodyText = typeof body === 'string' ? body : JSON.stringify(body);
  return { status, headers, bodyText, dialect, model: 'llama-8b', nowMs: NOW_MS };
}

/** As calls are judged: a 2xx for its answer, anything else for its failure. */
function judge(signal: ProviderSignal): Failure {
  const verdict = signal.status === 200 ? classifyAnswer(signal, ASKED) : classifyFailure(signal);
  if (verdict.kind === 'answer') throw new Error('Expected a failure, got an answer of use.');
  return verdict;
}

describe('a refusal of the provider facts', () => {
  it.each(EVERY_FIXTURE)('is known: %s, %s', (_provider, _fact, fixture) => {
    const { reason, ...failure } = judge(signalOf(fixture));
    expect(failure).toEqual(fixture.failure);
    expect(reason).not.toBe('');
  });

  it.each(EVERY_FIXTURE)('has its consequences: %s, %s', (_provider, _fact, fixture) => {
    const failure = judge(signalOf(fixture));
    const { request, effect, countsAsTry } = nextStep(failure, FRESH, { nowMs: NOW_MS, random01: 0.5 });
    expect({ request, effect, countsAsTry }).toEqual(fixture.follows);
  });

  it.each(EVERY_FIXTURE)('is known by headers in any case: %s, %s', (_provider, _fact, fixture) => {
    const signal = signalOf(fixture);
    const entries = Object.entries(signal.headers);
    const headers = Object.fromEntries(entries.map(([name, value]) => [name.toUpperCase(), value]));
    expect(judge({ ...signal, headers })).toEqual(judge(signal));
  });
});

describe('a connection without a response', () => {
  it.each<[TransportFault, Partial<Failure>]>([
    ['timeout', { kind: 'sick', mayHaveWorked: true, isCutOff: true }],
    ['reset', { kind: 'sick', mayHaveWorked: true, isCutOff: true }],
    ['unknown', { kind: 'sick', mayHaveWorked: true, isCutOff: true }],
    ['refused', { kind: 'unreachable' }],
    ['dns', { kind: 'unreachable' }],
    ['tls', { kind: 'unreachable' }],
    ['aborted', { kind: 'aborted' }],
  ])('is known by its end: %s', (transport, expected) => {
    const signal: ProviderSignal = {
      status: null,
      headers: {},
      bodyText: '',
      dialect: 'openai',
      model: 'llama-8b',
      nowMs: NOW_MS,
      transport,
    };
    expect(classifyFailure(signal)).toMatchObject(expected);
  });
});

describe('classifyFailure', () => {
  it('never shows a key in the reason', () => {
    const keys = [
      'sk-abcdEFGH1234567890',
      'gsk_abcdefgh12345678',
      'AIzaSyA1234567890abcdefghijk',
      'Bearer abc.def',
      '0123456789abcdef0123456789abcdef',
    ];
    for (const key of keys) {
      const bodyText = JSON.stringify({ error: { message: `Incorrect API key provided: ${key}` } });
      const { reason } = classifyFailure({
        status: 401,
        headers: {},
        bodyText,
        dialect: 'openai',
        model: 'm',
        nowMs: NOW_MS,
      });
      expect(reason).toContain('[redacted]');
      expect(reason).not.toContain(key.slice(-8));
    }
  });

  it('answers every signal with one valid failure', () => {
    fc.assert(
      fc.property(hostileSignals(), (given) => {
        const failure = classifyFailure(given);
        expect(failure.reason.length).toBeGreaterThan(0);
        expect(failure.reason.length).toBeLessThanOrEqual(200);
        expect(failure.reason.isWellFormed()).toBe(true);
        const atMs = instantOf(failure);
        expect(atMs === null || isWithinAMonth(atMs)).toBe(true);
        expect(isSensible(failure)).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });
});

function hostileSignals(): fc.Arbitrary<ProviderSignal> {
  const json = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.stringify(value));
  const nearMiss = fc
    .record({
      error: fc.record({
        message: fc.oneof(fc.string(), limitWords()),
        code: fc.oneof(fc.string(), fc.integer()),
        details: fc.jsonValue({ maxDepth: 2 }),
        param: fc.string(),
        metadata: fc.record({ headers: fc.dictionary(fc.string(), fc.string(), { maxKeys: 3 }) }),
      }),
    })
    .map((value) => JSON.stringify(value));
  const headerNames = fc.constantFrom(
    'Retry-After',
    'x-ratelimit-reset',
    'x-ratelimit-remaining-requests',
    'x-ratelimit-limit-requests',
    'x-ratelimit-reset-tokens-minute',
    'x-ratelimit-remaining-tokens-minute',
    'retry-after-ms',
    'x',
  );
  return fc.record({
    status: fc.option(fc.oneof(fc.constant(429), fc.integer({ min: 100, max: 599 }))),
    headers: fc.dictionary(headerNames, fc.oneof(fc.string(), fc.integer().map(String))),
    bodyText: fc.oneof(fc.string({ unit: 'binary' }), json, nearMiss),
    dialect: fc.constantFrom(...DIALECTS),
    model: fc.string(),
    nowMs: fc.constant(NOW_MS),
  });
}

/** Words such as limits are named with, in any order, with any figures. */
function limitWords(): fc.Arbitrary<string> {
  const words = fc.constantFrom(
    'on',
    'tokens',
    'requests',
    'per',
    'minute',
    'day',
    '(TPD):',
    'Limit',
    'Used',
    'limit:',
  );
  return fc
    .array(fc.oneof(words, fc.bigInt().map(String)), { maxLength: 16 })
    .map((parts) => parts.join(' '));
}

function instantOf(failure: Failure): number | null {
  if (failure.kind === 'minute-limit' || failure.kind === 'sick') return failure.retryAtMs;
  return failure.kind === 'day-limit' ? failure.resetAtMs : null;
}

function isWithinAMonth(atMs: number): boolean {
  return Number.isInteger(atMs) && atMs >= NOW_MS && atMs <= NOW_MS + 33 * 86_400_000;
}

/** A named limit holds whole numbers only, and an amount that may be learnt from. */
function isSensible(failure: Failure): boolean {
  if (failure.kind !== 'minute-limit' && failure.kind !== 'day-limit') return true;
  const { amount = null, used = null, periodMs = null } = failure.named ?? {};
  return (
    (amount === null || (Number.isSafeInteger(amount) && amount > 0)) &&
    (used === null || (Number.isSafeInteger(used) && used >= 0)) &&
    (periodMs === null || periodMs > 0)
  );
}
