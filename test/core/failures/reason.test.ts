import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_REASON_LENGTH, redactSecrets, shortReason } from '../../../src/core/failures/reason.ts';

describe('redactSecrets', () => {
  it.each([
    'sk-proj-abc_DEF-123456',
    'sk-or-v1-0123456789abcdef',
    'gsk_A1b2C3d4E5f6',
    'AIzaSyA-1234567890_abcdefg',
    'hf_abcDEF123456',
    'nvapi-abcDEF123456',
    'csk-abcdef123456',
    'Bearer eyJhbGciOi.eyJzdWI.sig',
    'Zk39dkAl20dkqPwoe93kdlsQpw02kd8s',
  ])('hides %s', (key) => {
    expect(redactSecrets(`provided: ${key}, no`)).toBe('provided: [redacted], no');
  });

  it('leaves quota ids, models and ordinary words alone', () => {
    const text =
      'GenerateRequestsPerDayPerProjectPerModel-FreeTier of llama-3.3-70b-versatile: task-oriented, sk-ip';
    expect(redactSecrets(text)).toBe(text);
  });
});

describe('shortReason', () => {
  it('is one short, well-formed line whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 500 }), (text) => {
        const reason = shortReason(text);
        expect(reason.length).toBeGreaterThan(0);
        expect(reason.length).toBeLessThanOrEqual(MAX_REASON_LENGTH);
        expect(reason).not.toMatch(/[\0\r\n]/u);
        expect(reason.isWellFormed()).toBe(true);
      }),
    );
  });

  it('takes little time for hostile text', () => {
    expect(shortReason('a-'.repeat(1_000_000))).toHaveLength(MAX_REASON_LENGTH);
  });
});
