/** The production home: the servers of the record and of the queues, from the environment. */
import { configError } from './problems.ts';
import type { Environment } from './key-variables.ts';

/** Their URLs, which may hold passwords. */
export interface Servers {
  readonly databaseUrl: string;
  readonly redisUrl: string;
}

const DATABASE = /^postgres(?:ql)?:\/\//u;
const REDIS = /^rediss?:\/\//u;

/**
 * The servers that `DATABASE_URL` and `REDIS_URL` name; `null`, the embedded home, without either or where `--data`
 * names a data directory, since flags go before the environment.
 *
 * Throws `ConfigError` where one is set without the other, or one is no such URL. The values are never shown.
 */
export function serversOf(dataFlag: string | undefined, environment: Environment): Servers | null {
  const databaseUrl = environment['DATABASE_URL']?.trim() ?? '';
  const redisUrl = environment['REDIS_URL']?.trim() ?? '';
  if (dataFlag !== undefined || (databaseUrl === '' && redisUrl === '')) return null;
  if (databaseUrl === '' || redisUrl === '') {
    const [set, missing] = databaseUrl === '' ? ['REDIS_URL', 'DATABASE_URL'] : ['DATABASE_URL', 'REDIS_URL'];
    throw configError(
      `Expected ${missing} beside ${set}, got ${set} alone. Set both for servers of your own, or unset ${set} (\`env -u ${set} ...\`) for the embedded database.`,
    );
  }
  requireUrl('DATABASE_URL', databaseUrl, DATABASE, 'postgresql://USER:PASSWORD@HOST:5432/DATABASE');
  requireUrl('REDIS_URL', redisUrl, REDIS, 'redis://HOST:6379');
  return { databaseUrl, redisUrl };
}

function requireUrl(name: string, value: string, form: RegExp, example: string): void {
  if (form.test(value)) return;
  throw configError(
    `Expected ${name} to be a URL such as ${example}, got something else. Percent-encode what is special in a password.`,
  );
}
