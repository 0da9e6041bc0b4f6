import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/config/problems.ts';
import { resolveConfig } from '../../src/config/resolve-config.ts';
import { serversOf } from '../../src/config/servers.ts';
import { ALL_KEYS } from './resolve.ts';

const DATABASE_URL = 'postgresql://night:pg-secret@db.lan:5432/nightshift';
const REDIS_URL = 'rediss://:redis-secret@redis.lan:6380';
const BOTH = { DATABASE_URL, REDIS_URL };

/** The message that an environment is refused with. */
const refusalOf = (environment: Readonly<Record<string, string>>): string => {
  try {
    serversOf(undefined, environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('Expected the environment to be refused, but it was not.');
};

describe('the servers of the record and of the queues', () => {
  it('are those that both variables name', () => {
    expect(serversOf(undefined, BOTH)).toEqual({ databaseUrl: DATABASE_URL, redisUrl: REDIS_URL });
    expect(serversOf(undefined, { DATABASE_URL: ` ${DATABASE_URL}\n`, REDIS_URL })).toMatchObject({
      databaseUrl: DATABASE_URL,
    });
  });

  it.each(['postgres://h/d', 'postgresql://h/d', 'postgresql://u:p@h:1/d?sslmode=require'])(
    'may be called %s',
    (url) => {
      expect(serversOf(undefined, { ...BOTH, DATABASE_URL: url })?.databaseUrl).toBe(url);
    },
  );

  it('are embedded where neither variable is set, or both are empty', () => {
    expect(serversOf(undefined, {})).toBeNull();
    expect(serversOf(undefined, { DATABASE_URL: '', REDIS_URL: '  ' })).toBeNull();
  });

  it('are embedded where --data names a directory, whatever the variables hold', () => {
    expect(serversOf('/data', BOTH)).toBeNull();
    expect(serversOf('/data', { DATABASE_URL })).toBeNull();
    expect(serversOf('/data', { DATABASE_URL: 'nonsense', REDIS_URL: 'nonsense' })).toBeNull();
  });

  it('are refused where one is set without the other, with the way out both ways', () => {
    for (const [set, missing] of [
      ['DATABASE_URL', 'REDIS_URL'],
      ['REDIS_URL', 'DATABASE_URL'],
    ] as const) {
      const message = refusalOf({ [set]: BOTH[set], [missing]: '' });
      expect(message).toContain(`Expected ${missing} beside ${set}, got ${set} alone.`);
      expect(message).toContain(`env -u ${set}`);
      expect(message).not.toContain('secret');
    }
  });

  it.each([
    ['DATABASE_URL', 'mysql://u:pg-secret@h/d', 'postgresql://USER'],
    ['DATABASE_URL', 'host=db password=pg-secret', 'postgresql://USER'],
    ['REDIS_URL', 'http://:redis-secret@h:6379', 'redis://HOST'],
    ['REDIS_URL', 'redis-secret@h:6379', 'redis://HOST'],
  ])('are refused where %s is no such URL, without showing it: %s', (name, value, example) => {
    const message = refusalOf({ ...BOTH, [name]: value });
    expect(message).toContain(`Expected ${name} to be a URL such as ${example}`);
    expect(message).not.toContain('secret');
  });
});

describe('a configuration with servers', () => {
  const environment = { ...ALL_KEYS, ...BOTH, NIGHTSHIFT_API_TOKEN: 'token-secret-token-secret' };
  const config = resolveConfig({
    yaml: null,
    environment,
    dataDirectory: '/data',
    servers: serversOf(undefined, environment),
  });

  it('tells their URLs and the token to whoever asks for them', () => {
    expect(config.home).toBe('servers');
    expect(config.keys.servers()).toEqual({ databaseUrl: DATABASE_URL, redisUrl: REDIS_URL });
    expect(config.keys.apiToken()).toBe('token-secret-token-secret');
  });

  it('keeps them when further providers are assumed', () => {
    const assuming = config.assuming(new Set(['groq']));
    expect(assuming.home).toBe('servers');
    expect(assuming.keys.servers()).toEqual({ databaseUrl: DATABASE_URL, redisUrl: REDIS_URL });
  });

  it('shows no secret however it is printed', () => {
    const views = [
      inspect(config, { depth: null, showHidden: true, getters: true }),
      JSON.stringify(config),
      JSON.stringify(config.assuming(new Set(['groq']))),
      inspect(Object.entries(config), { depth: null }),
    ];
    const secrets = [
      'secret',
      ...Object.values(ALL_KEYS).filter((key) => key !== ALL_KEYS.CLOUDFLARE_ACCOUNT_ID),
    ];
    expect(views.filter((view) => secrets.some((secret) => view.includes(secret)))).toEqual([]);
  });
});
