/** What a bench and its simulated providers, in a process of their own, say to each other. */
import type { CallRecord } from '../../../src/simulator/call-log.ts';
import type { ClockSetting } from '../../../src/simulator/clock.ts';

/** To the providers. */
export type ToSimulator =
  | { readonly kind: 'begin'; readonly setting: ClockSetting }
  | { readonly kind: 'look' }
  | { readonly kind: 'calls' };

/** From them: first that they listen, then an answer to each message, in order. */
export type FromSimulator =
  | { readonly kind: 'listening'; readonly url: string }
  | { readonly kind: 'begun' }
  | ({ readonly kind: 'looked' } & SimulatorLook)
  | { readonly kind: 'called'; readonly calls: readonly CallRecord[] };

/** How far a night is, by the providers' count. */
export interface SimulatorLook {
  /** Of the night's clock. */
  readonly nowMs: number;
  readonly calls: number;
  readonly succeeded: number;
  readonly rejected: number;
  readonly failed: number;
}
