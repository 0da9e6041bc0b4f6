/** Which keys count, and what a process is told that brings a second one. */
import { describe, expect, it } from 'vitest';
import { announcementOf } from '../../src/app/announce.ts';
import type { Role } from '../../src/app/process-registry.ts';
import { countingFingerprints, secondKeyRefusal } from '../../src/app/second-key.ts';
import { aLane, aProvider, routingFor } from './fakes.ts';

const ROUTING = routingFor([
  aProvider([aLane('free/a'), aLane('free/b')]),
  aProvider([aLane('trial/a')], { tier: 'trial' }),
  aProvider([aLane('paid/a')], { tier: 'paid' }),
  aProvider([aLane('local/a')], { tier: 'local' }),
  aProvider([aLane('keyless/a')]),
]);

const fingerprintsOf = (...roles: readonly Role[]) =>
  countingFingerprints(announcementOf({ roles, routing: ROUTING, configHash: '' }), (id) =>
    id === 'keyless' ? null : `print of ${id}`,
  );

describe('the fingerprints that count', () => {
  it('are of free and trial tiers with a key', () => {
    expect(fingerprintsOf('worker')).toEqual({ free: 'print of free', trial: 'print of trial' });
  });

  it('are none for a process that makes no call', () => {
    expect(fingerprintsOf('api', 'dispatcher')).toEqual({});
  });
});

describe('the refusal', () => {
  it('names the provider, the process with the other key, the reason and the way out', () => {
    const { message } = secondKeyRefusal({ providerId: 'groq', host: 'attic', pid: 77, roles: ['worker'] });
    expect(message).toMatch(/^Expected the key for groq that process 77 on attic \(worker\)/u);
    expect(message).toContain('One account per free provider is what their terms allow.');
    expect(message).toContain('Give both the same key, or stop that process first');
  });
});
