/**
 * The two homes on which end-to-end tests run from one definition: `embedded`, a data directory and nothing else, and
 * `redis`, the production home on a PostgreSQL and a Redis of the user's.
 *
 * `NIGHTSHIFT_TEST_HOMES` (default `embedded,redis`) says which. The Redis home needs a `redis-server` in PATH: without
 * one its tests are skipped with a loud line, and fail with `CI=true` or `NIGHTSHIFT_REQUIRE_REDIS=1`.
 */
import { afterAll, describe } from 'vitest';
import { findRedisServer } from './redis-server.ts';
import { openServers, type Servers } from './servers.ts';

/** Every home, in the order in which tests run. */
export const HOMES = ['embedded', 'redis'] as const;

/** A home by name. */
export type HomeName = (typeof HOMES)[number];

/** Defines tests once for each home; they pass the home on to their stages. */
export const describeHomes = (define: (home: HomeName) => void): void => {
  for (const home of HOMES) describeHome(home, () => define(home));
};

/** Defines tests of what only one home has. */
export const describeHome = (home: HomeName, define: () => void): void => {
  describe.skipIf(!isWanted(home))(`On the ${home} home`, () => {
    afterAll(closeSharedServers);
    define();
  });
};

/**
 * Whether everything is tested on this home: on the first, and with `NIGHTSHIFT_LONG=1` on each. Where a home makes no
 * difference, as for how lines are read or what an answer means, the others do with a sample, for runs must stay short.
 */
export const isThorough = (home: HomeName): boolean =>
  home === HOMES[0] || process.env['NIGHTSHIFT_LONG'] === '1';

/** All cases where everything is tested; elsewhere the sample. */
export const casesFor = <T>(
  home: HomeName,
  cases: readonly T[],
  isSample: (entry: T, index: number) => boolean,
): readonly T[] => (isThorough(home) ? cases : cases.filter(isSample));

let sharedServers: Promise<Servers> | undefined;

/** The servers that all tests of a file share, both running; the end of {@link describeHome} disposes them. */
export const openSharedServers = async (): Promise<Servers> => {
  const servers = await (sharedServers ??= openServers());
  // A test that failed may have left one down.
  await Promise.all([servers.startPostgres(), servers.startRedis()]);
  return servers;
};

const closeSharedServers = async (): Promise<void> => {
  const servers = await sharedServers;
  sharedServers = undefined;
  await servers?.[Symbol.asyncDispose]();
};

const isWanted = (home: HomeName): boolean => {
  if (!wantedHomes().includes(home)) return false;
  return home === 'embedded' || hasRedisServer();
};

const wantedHomes = (): readonly string[] => {
  const wanted = (process.env['NIGHTSHIFT_TEST_HOMES'] ?? HOMES.join(',')).split(',');
  const unknown = wanted.find((name) => !HOMES.some((home) => home === name));
  if (unknown === undefined) return wanted;
  throw new Error(
    `Expected NIGHTSHIFT_TEST_HOMES to name ${HOMES.join(' or ')}, got \`${unknown}\`. Separate them by commas.`,
  );
};

/** Servers are started by the tests that need them, and say what is missing: so a required Redis counts as there. */
const hasRedisServer = (): boolean => {
  const isRequired = process.env['CI'] === 'true' || process.env['NIGHTSHIFT_REQUIRE_REDIS'] === '1';
  if (isRequired || findRedisServer() !== undefined) return true;
  console.error('!!! SKIPPED: the tests of the Redis home, because there is no `redis-server` in PATH.');
  return false;
};
