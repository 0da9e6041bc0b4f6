/** Where Nightshift keeps its record. */
import { isAbsolute, join, resolve } from 'node:path';
import type { Environment } from './key-variables.ts';

/** What the place depends on. */
export interface DataDirectoryInput {
  /** The value of `--data`. */
  readonly flag: string | undefined;
  readonly environment: Environment;
  readonly workingDirectory: string;
  readonly homeDirectory: string;
}

/**
 * The data directory's absolute path: `--data`, else `NIGHTSHIFT_DATA`, else `nightshift` in `XDG_DATA_HOME` (if
 * that is absolute, as its specification asks), else `~/.local/share/nightshift`. Relative paths are taken from
 * the working directory, a leading `~/` from the home directory. An empty value counts as none.
 */
export function dataDirectory({
  flag,
  environment,
  workingDirectory,
  homeDirectory,
}: DataDirectoryInput): string {
  const chosen = [flag, environment['NIGHTSHIFT_DATA']].find((value) => value !== undefined && value !== '');
  if (chosen !== undefined)
    return resolve(
      workingDirectory,
      chosen.replace(/^~(?=\/|$)/, () => homeDirectory),
    );
  const xdg = environment['XDG_DATA_HOME'] ?? '';
  return join(isAbsolute(xdg) ? xdg : join(homeDirectory, '.local', 'share'), 'nightshift');
}
