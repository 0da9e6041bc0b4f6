/** The resolved configuration: what the rest of Nightshift is told. Types only. */
import type { Pool, Provider } from '../core/model.ts';
import type { KeyRing } from './key-ring.ts';

/** Everything that flags, environment, file and catalog came to. Frozen throughout, and free of secrets. */
export interface Config {
  /** The file that was read; `null` where there was none. */
  readonly file: string | null;
  /** Absolute path. It may not exist yet. */
  readonly dataDirectory: string;
  /** Where record and queues are: in the data directory, or on the servers that DATABASE_URL and REDIS_URL name. */
  readonly home: 'embedded' | 'servers';
  /** The service that commands speak to (NIGHTSHIFT_URL); `null` where they open the record themselves. */
  readonly serviceUrl: string | null;
  /** Whether the board shows the text of documents (NIGHTSHIFT_BOARD_TEXT=1). */
  readonly boardShowsText: boolean;
  /** The providers that are on, in the file's order, else in the catalog's; each has at least one lane. */
  readonly providers: readonly Provider[];
  /** The user's pools, the catalog's, and `all`; every lane in them is on and none is empty. */
  readonly pools: readonly Pool[];
  /** Every target is a pool or a lane of this configuration. */
  readonly aliases: readonly Alias[];
  /** Known providers that are not on, and why. */
  readonly unavailable: readonly UnavailableProvider[];
  /** What works but probably not as meant; one sentence each. */
  readonly warnings: readonly string[];
  /** The keys, by provider, and all other secrets. Shows nothing when printed or serialized. */
  readonly keys: KeyRing;
  /** Equal for equal providers, pools and aliases, whatever the keys. */
  readonly hash: string;
  /**
   * The same with these providers on, too, though their keys are not here: other processes make the calls on them.
   */
  assuming(providerIds: ReadonlySet<string>): Config;
  /**
   * The same with these providers of the catalog on besides, though nobody named them or has their keys: for what they
   * would bring. What the user switched off stays off.
   */
  adding(providerIds: ReadonlySet<string>): Config;
}

/** Another name for a pool or a lane. */
export interface Alias {
  readonly name: string;
  readonly target: string;
}

/** A provider that is not on. */
export interface UnavailableProvider {
  readonly providerId: string;
  readonly kind: 'switched-off' | 'not-named' | 'no-key' | 'bad-key' | 'no-variable' | 'no-model';
  /** A sentence for people, with the way out. */
  readonly reason: string;
}
