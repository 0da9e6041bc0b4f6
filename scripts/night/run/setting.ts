/** What a contender is given to run a night with. */
import type { Night } from '../night.ts';
import type { NightHomeName } from './home.ts';
import type { SimulatedProviders } from './simulated-providers.ts';

/** One night, ready to be run. */
export interface RunSetting {
  readonly night: Night;
  /** The same, as a file. */
  readonly nightFile: string;
  readonly providers: SimulatedProviders;
  /** How many times as fast as real time the night passes. */
  readonly rate: number;
  readonly home: NightHomeName;
  /** Whether the record has seen the lanes before; who keeps no record does without. */
  readonly isPractised: boolean;
  /** An empty directory of this run's own. */
  readonly directory: string;
  /** The run is given up after this much of the night. */
  readonly longestMs: number;
  readonly signal: AbortSignal;
}

/** Why a run has no result to be compared; `null` for one that did everything. */
export type RunFault = string | null;

/** Runs the night to its end. Calls are in the providers' log. */
export type Contender = (setting: RunSetting) => Promise<RunFault>;
