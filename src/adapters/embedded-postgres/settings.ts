/**
 * The server's settings, passed on its command line so that a newer Nightshift brings its own to old data.
 * Names and defaults: PostgreSQL 18 documentation, chapter 19.
 */

/** The role and the database that Nightshift uses; the role is the cluster's only one. */
export const databaseRole = 'nightshift';

/** The database that holds the record and the queues. */
export const databaseName = 'nightshift';

/** The number in the socket's file name; no TCP port is opened. */
export const socketPort = 5432;

const settings: Readonly<Record<string, string>> = {
  // Reached through the socket alone, whose folder only this user (and root) may enter.
  listen_addresses: '',
  port: String(socketPort),
  unix_socket_permissions: '0700',
  max_connections: '200',
  // A guest on the user's machine: the record of a night fits, and huge pages would be reserved from everyone.
  shared_buffers: '64MB',
  huge_pages: 'off',
  // Durable: a stored result was paid for with quota, and a crash may not lose it.
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  // No replica and no base backup reads this WAL, so it need not carry what they would want.
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_logical_replication_workers: '0',
  // Ingest writes a night's documents in one go: fewer checkpoints in its way, a bounded folder (about 1 GB).
  max_wal_size: '1GB',
  checkpoint_timeout: '15min',
  // Many small statements: compiling them, or planning them in parallel, costs more than it gives; parallel plans
  // also need shared memory, of which containers give 64 MB (/dev/shm).
  jit: 'off',
  max_parallel_workers_per_gather: '0',
  // A client killed in the middle of a long statement gives its seat up soon, not when the statement ends.
  client_connection_check_interval: '2s',
  // The log is for faults, and never holds statements or rows: they contain the user's documents.
  log_min_messages: 'warning',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
  log_line_prefix: '%m [%p] ',
  log_checkpoints: 'off',
  log_timezone: 'UTC',
  timezone: 'UTC',
  lc_messages: 'C',
};

/** The arguments of `postgres` for a cluster whose socket lies in `socketDirectory`. */
export const serverArguments = (clusterDirectory: string, socketDirectory: string): readonly string[] => [
  '-D',
  clusterDirectory,
  ...Object.entries({ ...settings, unix_socket_directories: quoted(socketDirectory) }).flatMap(
    ([name, value]) => ['-c', `${name}=${value}`],
  ),
];

/** The setting is a comma-separated list of names, in which quotes protect commas and spaces. */
const quoted = (path: string): string => `"${path.replaceAll('"', '""')}"`;

/**
 * The arguments of `initdb`. The locale is PostgreSQL's built-in C.UTF-8: the same order of strings on every
 * machine, whatever its C library. Roles need no password: the socket's folder is closed to other users. Peer
 * authentication would not work, because under a user namespace the server sees every client as `nobody` (measured).
 */
export const initdbArguments = (clusterDirectory: string): readonly string[] => [
  `--pgdata=${clusterDirectory}`,
  `--username=${databaseRole}`,
  '--auth=trust',
  '--encoding=UTF8',
  '--locale=C',
  '--locale-provider=builtin',
  '--builtin-locale=C.UTF-8',
  '--no-instructions',
];
