/** One failure of each kind, and arbitrary ones. */
import fc from 'fast-check';
import type { Failure, FailureKind } from '../../src/core/failures/failure.ts';
import { NOW_MS } from './fakes.ts';

const reason = 'because';

/** A failure of each kind, as plain as the kind allows. */
export const FAILURES: { readonly [Kind in FailureKind]: Extract<Failure, { kind: Kind }> } = {
  'minute-limit': { kind: 'minute-limit', scope: 'lane', retryAtMs: null, reason },
  'day-limit': { kind: 'day-limit', scope: 'lane', period: 'day', resetAtMs: null, reason },
  'no-money': { kind: 'no-money', reason },
  'bad-key': { kind: 'bad-key', reason },
  forbidden: { kind: 'forbidden', reason },
  'too-large': { kind: 'too-large', limitTokens: null, reason },
  'bad-request': { kind: 'bad-request', parameter: null, reason },
  gone: { kind: 'gone', reason },
  sick: { kind: 'sick', mayHaveWorked: false, retryAtMs: null, reason },
  unreachable: { kind: 'unreachable', reason },
  'useless-answer': { kind: 'useless-answer', flaw: 'refused', usage: null, reason },
  aborted: { kind: 'aborted', reason },
  unknown: { kind: 'unknown', status: 418, reason },
};

const instant = fc.option(fc.integer({ min: NOW_MS - 1_000, max: NOW_MS + 90_000_000 }));
const scope = fc.constantFrom('lane', 'provider');
const usage = fc.option(fc.record({ promptTokens: fc.nat(9_000), completionTokens: fc.nat(9_000) }));
const plain = fc.constantFrom('no-money', 'bad-key', 'forbidden', 'gone', 'unreachable', 'aborted');

/** Any failure of any kind; reasons hold what JSON has to escape. */
export const anyFailure: fc.Arbitrary<Failure> = fc
  .string({ unit: 'binary', maxLength: 20 })
  .chain((words): fc.Arbitrary<Failure> => {
    const told = { reason: fc.constant(words) };
    return fc.oneof(
      fc.record({ kind: plain, ...told }),
      fc.record({ kind: fc.constant('minute-limit'), scope, retryAtMs: instant, ...told }),
      fc.record({
        kind: fc.constant('day-limit'),
        scope,
        period: fc.constantFrom('day', 'week', 'month'),
        resetAtMs: instant,
        ...told,
      }),
      fc.record({ kind: fc.constant('too-large'), limitTokens: fc.option(fc.nat(9_000)), ...told }),
      fc.record({
        kind: fc.constant('bad-request'),
        parameter: fc.constantFrom(null, 'seed', 'top_k', 'messages'),
        ...told,
      }),
      fc.record({ kind: fc.constant('sick'), mayHaveWorked: fc.boolean(), retryAtMs: instant, ...told }),
      fc.record({
        kind: fc.constant('useless-answer'),
        flaw: fc.constantFrom('empty', 'truncated-by-our-cap', 'truncated', 'refused', 'not-json'),
        usage,
        ...told,
      }),
      fc.record({ kind: fc.constant('unknown'), status: fc.option(fc.nat(599)), ...told }),
    );
  });
