/** Who is at work on a record, in which roles, and on which lanes. */
import type { Lane, Limit, Provider } from '../core/model.ts';
import type { Routing } from './ports.ts';

/** What a process does. Each role may run in any number of processes, together or apart. */
export type Role = 'api' | 'dispatcher' | 'worker';

/** A lane with what of its provider a dispatcher needs to know. */
export interface ServedLane {
  readonly lane: Lane;
  readonly provider: Provider;
}

/** Every lane of a routing. */
export const everyLane = ({ providers }: Pick<Routing, 'providers'>): readonly ServedLane[] =>
  providers.flatMap((provider) => provider.lanes.map((lane) => ({ lane, provider })));

/** One limit as a configuration has it; `calls` are calls at once. */
export interface ScopedLimit {
  /** Lane id or provider id. */
  readonly scope: string;
  readonly metric: Limit['metric'] | 'calls';
  /** The window in words; equal for equal windows. */
  readonly window: string;
  readonly amount: number;
}

/** What a process says of itself. */
export interface Announcement {
  readonly roles: readonly Role[];
  /** Those it makes calls on; empty unless it is a worker. */
  readonly lanes: readonly ServedLane[];
  /** Equal for equal configurations. */
  readonly configHash: string;
  readonly limits: readonly ScopedLimit[];
}

/** A process that lives, as far as anybody can tell. */
export interface LiveProcess extends Omit<Announcement, 'lanes'> {
  readonly id: number;
  readonly host: string;
  readonly pid: number;
  readonly startedAtMs: number;
  readonly laneIds: readonly string[];
}

/** This process's place among those that are at work. */
export interface Seat {
  readonly id: number;
  /** Gives the seat up; its open calls are treated as lost. */
  leave(): Promise<void>;
}

/** Who is at work, in which roles, and on which lanes. */
export interface ProcessRegistry {
  /** @throws Error that names a live process with another key for a free provider; see second-key.ts. */
  join(announcement: Announcement): Promise<Seat>;
  processes(): Promise<readonly LiveProcess[]>;
  /** The lanes on which a live worker makes calls, as the worker that started last has them. */
  servedLanes(): Promise<readonly ServedLane[]>;
  /** The lanes that some batch in progress may use. */
  wantedLaneIds(): Promise<ReadonlySet<string>>;
}
