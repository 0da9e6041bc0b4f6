/** The configuration and the record, as commands open them. */
import { loadConfig } from '../config/load-config.ts';
import type { Config } from '../config/config.ts';
import { openNightshift, type Nightshift, type OpenOptions } from '../wire.ts';
import type { CliContext } from './context.ts';

/** The flags that every command with a configuration has. */
export interface ConfigFlags {
  readonly config?: string | undefined;
  readonly data?: string | undefined;
}

/** Loads the configuration and prints its warnings, unless it shall be silent. Rejects with ConfigError. */
export async function readConfig(
  context: CliContext,
  { config, data }: ConfigFlags,
  options: { readonly allowNoLanes?: boolean; readonly isSilent?: boolean } = {},
): Promise<Config> {
  const { environment, workingDirectory, homeDirectory, stderr } = context;
  const loaded = await loadConfig({
    flags: { config, data },
    environment,
    workingDirectory,
    homeDirectory,
    ...options,
  });
  if (options.isSilent === true) return loaded;
  for (const warning of loaded.warnings) stderr.write(`nightshift: warning: ${warning}\n`);
  return loaded;
}

/** Opening usually takes half a second; after this long it is said that it is going on. */
const SAY_STARTING_AFTER_MS = 2_000;

/** Opens the record, to look at it unless said; says so when it takes long. */
export async function openRecord(
  config: Config,
  say: (message: string) => void,
  options: Pick<OpenOptions, 'isOnlooker' | 'onLost'> = { isOnlooker: true },
): Promise<Nightshift> {
  const timer = setTimeout(
    () => say(`starting the record in ${config.dataDirectory} …`),
    SAY_STARTING_AFTER_MS,
  );
  try {
    return await openNightshift(config, { ...options, onWait: say });
  } finally {
    clearTimeout(timer);
  }
}
