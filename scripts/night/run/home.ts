/** Where Nightshift keeps its record and its queues during a night, and how its clock is set. */
import { join } from 'node:path';
import type { ClockSetting } from '../../../src/simulator/clock.ts';
import { type PostgresServer, startPostgres, startRedis } from '../../bench/servers.ts';

/** Homes by name. */
export const NIGHT_HOMES = ['embedded', 'redis'] as const;
/** The name of one. */
export type NightHomeName = (typeof NIGHT_HOMES)[number];

/** A home that is open. Disposing stops its servers. */
export interface NightHome extends AsyncDisposable {
  /** What tells a command to use it. */
  readonly flags: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Sets the record's clock. The record must be there, and no call under way. */
  setClock(setting: ClockSetting): Promise<void>;
}

/** Opens a home of its own in a directory. */
export const openNightHome = async (name: NightHomeName, directory: string): Promise<NightHome> => {
  await using stack = new AsyncDisposableStack();
  const dataDirectory = join(directory, 'data');
  if (name === 'embedded') {
    const postgres = stack.use(await startPostgres(dataDirectory));
    const opened = stack.move();
    return {
      flags: ['--data', dataDirectory],
      environment: {},
      setClock: (setting) => setClock(postgres, setting),
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    };
  }
  const postgres = stack.use(await startPostgres(join(directory, 'postgres')));
  const redis = stack.use(await startRedis(join(directory, 'redis')));
  const opened = stack.move();
  return {
    flags: [],
    environment: { DATABASE_URL: postgres.url, REDIS_URL: redis.url, NIGHTSHIFT_DATA: dataDirectory },
    setClock: (setting) => setClock(postgres, setting),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
};

const setClock = async (
  { client }: PostgresServer,
  { realOriginMs, originMs, rate }: ClockSetting,
): Promise<void> => {
  await client.query('UPDATE clock SET real_origin_ms = $1, origin_ms = $2, rate = $3', [
    realOriginMs,
    originMs,
    rate,
  ]);
};
