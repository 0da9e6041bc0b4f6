/** Finds and reads the configuration: the only place that looks at files and environment for it. */
import { readFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import type { Config } from './config.ts';
import { dataDirectory } from './data-directory.ts';
import { configError } from './problems.ts';
import { resolveConfig } from './resolve-config.ts';
import { serversOf } from './servers.ts';
import type { Environment } from './key-variables.ts';

/** Where to look. The caller passes what the process has, so that nothing here reads globals. */
export interface LoadConfigInput {
  readonly flags: { readonly config?: string | undefined; readonly data?: string | undefined };
  readonly environment: Environment;
  /** Absolute path. */
  readonly workingDirectory: string;
  /** Absolute path. */
  readonly homeDirectory: string;
  /** Whether to go on with no lane at all, for commands that call nobody. Default: no. */
  readonly allowNoLanes?: boolean;
}

/** The file that is read when nothing names another. */
export const CONFIG_FILE_NAME = 'nightshift.yaml';

/**
 * The configuration from, in this precedence, flags, environment, file and catalog.
 *
 * The file is `--config`, else `NIGHTSHIFT_CONFIG`, else `nightshift.yaml` in the working directory if it exists.
 * A `.env` beside it is read too; a variable of the process wins over it, even an empty one.
 * Rejects with `ConfigError`, whose message is printable, when a named file cannot be read, when anything in the
 * file is wrong, or when no lane is on.
 */
export async function loadConfig(input: LoadConfigInput): Promise<Config> {
  const yaml = await readYaml(input);
  const dotEnv = yaml === null ? {} : await readDotEnv(dirname(yaml.path));
  const environment = {
    ...dotEnv,
    ...definedOnly(input.environment),
    // Whoever names a data directory means what is there.
    ...(input.flags.data === undefined ? {} : { NIGHTSHIFT_URL: '' }),
  };
  return resolveConfig({
    yaml,
    environment,
    dataDirectory: dataDirectory({ ...input, flag: input.flags.data, environment }),
    servers: serversOf(input.flags.data, environment),
    allowNoLanes: input.allowNoLanes ?? false,
  });
}

interface YamlSource {
  readonly path: string;
  readonly name: string;
  readonly text: string;
}

async function readYaml({
  flags,
  environment,
  workingDirectory,
}: LoadConfigInput): Promise<YamlSource | null> {
  const fromVariable = environment['NIGHTSHIFT_CONFIG'] === '' ? undefined : environment['NIGHTSHIFT_CONFIG'];
  const named = flags.config ?? fromVariable;
  const path = resolve(workingDirectory, named ?? CONFIG_FILE_NAME);
  const text = await readIfThere(path);
  if (text !== null) return { path, name: shortName(workingDirectory, path), text };
  if (named === undefined) return null;
  const by = flags.config === undefined ? 'NIGHTSHIFT_CONFIG' : '--config';
  throw configError(
    `Expected the file that ${by} names to exist, got none at ${named}. Correct the path, or let \`npx nightshift init\` write a ${CONFIG_FILE_NAME} here.`,
  );
}

async function readDotEnv(directory: string): Promise<Environment> {
  const text = await readIfThere(join(directory, '.env'));
  return text === null ? {} : parseEnv(text);
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw configError(`Expected ${path} to be a file that can be read, got ${codeOf(error)}`, {
      cause: error,
    });
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'an unknown fault';
}

/** The path as a person in the working directory would type it. */
function shortName(workingDirectory: string, path: string): string {
  const fromHere = relative(workingDirectory, path);
  return fromHere.startsWith('..') ? path : fromHere;
}

function definedOnly(environment: Environment): Environment {
  return Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== undefined));
}
