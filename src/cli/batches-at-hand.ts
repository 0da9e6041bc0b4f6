/** Where commands find batches: at a service, else in the record itself. */
import { batchesOver } from '../adapters/http/batches-client.ts';
import { findService } from '../adapters/files/service-file.ts';
import type { Batches } from '../app/batches.ts';
import type { Config } from '../config/config.ts';
import type { Nightshift } from '../wire.ts';
import { type ConfigFlags, openRecord, readConfig } from './configuration.ts';
import type { CliContext } from './context.ts';

/** The flags of every command that speaks of batches. */
export interface BatchesFlags extends ConfigFlags {
  readonly url?: string | undefined;
}

/** Batches, and what they are read through. */
export interface BatchesAtHand extends AsyncDisposable {
  readonly batches: Batches;
  /** The service's URL; `null` for the record itself. */
  readonly serviceUrl: string | null;
  readonly config: Config;
}

/** Nobody else keeps house where there is no service: lines are ended to the last. */
const CANCEL_PATIENCE_MS = 3_600_000;

/** The service at `--url`, else NIGHTSHIFT_URL, else one on the data directory; `null` where there is none. */
export async function serviceAtHand(
  config: Config,
  url: string | undefined,
): Promise<{ readonly url: string; readonly batches: Batches } | null> {
  const found = url ?? config.serviceUrl ?? (await findService(config.dataDirectory));
  if (found === null) return null;
  return { url: found, batches: batchesOver({ url: found, token: config.keys.apiToken() ?? null }) };
}

/** Opens batches where they are. Nothing is called from here, so no lane is needed. */
export async function openBatches(context: CliContext, flags: BatchesFlags): Promise<BatchesAtHand> {
  const config = await readConfig(context, flags, { allowNoLanes: true, isSilent: true });
  const service = await serviceAtHand(config, flags.url);
  if (service !== null) {
    return {
      batches: service.batches,
      serviceUrl: service.url,
      config,
      [Symbol.asyncDispose]: async () => {},
    };
  }
  const nightshift = await openRecord(config, (message) => void context.stderr.write(`${message}\n`));
  return {
    batches: batchesOfRecord(nightshift),
    serviceUrl: null,
    config,
    [Symbol.asyncDispose]: () => nightshift[Symbol.asyncDispose](),
  };
}

/** Batches that a service will take up when it is started. */
const batchesOfRecord = (nightshift: Nightshift): Batches =>
  nightshift.batches({ isServed: true, cancelPatienceMs: CANCEL_PATIENCE_MS });
