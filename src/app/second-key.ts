/** One account per provider is what the terms of free tiers allow: what a process is told that brings a second key. Pure. */
import type { Announcement, LiveProcess } from './process-registry.ts';

/** What a process makes calls with: its fingerprints of keys, by provider. */
export type KeyFingerprints = Readonly<Record<string, string>>;

/** The fingerprints that count: of the free and trial providers on whose lanes the process makes calls. */
export const countingFingerprints = (
  { lanes }: Announcement,
  fingerprintOf: (providerId: string) => string | null,
): KeyFingerprints => {
  const limited = lanes.flatMap(({ provider: { id, tier } }) =>
    tier === 'free' || tier === 'trial' ? [id] : [],
  );
  return Object.fromEntries(
    [...new Set(limited)].flatMap((id) => {
      const fingerprint = fingerprintOf(id);
      return fingerprint === null ? [] : [[id, fingerprint]];
    }),
  );
};

/** A live process that has another key for a provider. */
export interface OtherKey extends Pick<LiveProcess, 'host' | 'pid' | 'roles'> {
  readonly providerId: string;
}

/** The refusal, for whoever started the process that came later. */
export const secondKeyRefusal = ({ providerId, host, pid, roles }: OtherKey): Error =>
  new Error(
    `Expected the key for ${providerId} that process ${pid} on ${host} (${roles.join(', ')}) makes calls with, got another one (or another address). ` +
      `One account per free provider is what their terms allow. Give both the same key, or stop that process first; a new key goes to all of them at once.`,
  );
