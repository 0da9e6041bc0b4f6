/** What docker-compose.yml and .env.example promise each other and their readers. Nothing is started. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseEnv } from 'node:util';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { CATALOG } from '../../src/providers/catalog.ts';

const root = new URL('../../', import.meta.url);
const composeText = readFileSync(new URL('docker-compose.yml', root), 'utf8');
const example = parseEnv(readFileSync(new URL('.env.example', root), 'utf8'));

const mount = z.union([
  z.string(),
  z.strictObject({
    type: z.literal('bind'),
    source: z.string(),
    target: z.string(),
    read_only: z.literal(true),
    bind: z.strictObject({ create_host_path: z.literal(false) }),
  }),
]);
const service = z.looseObject({
  image: z.string(),
  user: z.string(),
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()).default({}),
  ports: z.array(z.string()).default([]),
  volumes: z.array(mount).default([]),
  networks: z.array(z.string()),
  healthcheck: z.looseObject({ test: z.array(z.string()) }).optional(),
  depends_on: z.record(z.string(), z.strictObject({ condition: z.string() })).default({}),
  restart: z.string(),
  read_only: z.literal(true),
  init: z.literal(true),
  cap_drop: z.tuple([z.literal('ALL')]),
  stop_grace_period: z.string().optional(),
});
const composeFile = z.looseObject({
  services: z.record(z.string(), service),
  networks: z.record(z.string(), z.strictObject({ internal: z.boolean().optional() })),
  volumes: z.record(z.string(), z.strictObject({})),
});

const compose = composeFile.parse(parse(composeText, { merge: true }));
const services = Object.entries(compose.services);
const { api, dispatcher, worker, install, postgres, redis } = z
  .record(z.enum(['api', 'dispatcher', 'worker', 'install', 'postgres', 'redis']), service)
  .parse(compose.services);
const processes = Object.entries({ api, dispatcher, worker });
const lasting = services.filter(([name]) => name !== 'install');

const VARIABLE = /\$\{(?<name>[A-Z][A-Z0-9_]*)(?<operator>:[?-])?(?<rest>[^}]*)\}/gu;
const variables = [...JSON.stringify(compose.services).matchAll(VARIABLE)].map(({ groups }) => ({
  name: groups?.['name'] ?? '',
  operator: groups?.['operator'] ?? '',
  rest: groups?.['rest'] ?? '',
}));
/** Everything that a provider of the catalog reads from the environment. */
const keyVariables = CATALOG.flatMap(({ apiKeyEnv, baseUrl }) => [
  ...(apiKeyEnv === undefined ? [] : [apiKeyEnv]),
  ...[...baseUrl.matchAll(/\{([A-Z_]+)\}/gu)].map(([, name = '']) => name),
]);

const exists = (path: string): boolean => existsSync(fileURLToPath(new URL(path, root)));
const sourceOf = (volume: z.output<typeof mount>): string =>
  typeof volume === 'string' ? (volume.split(':')[0] ?? '') : volume.source;

const mounts = services.flatMap(([, { volumes }]) =>
  volumes.map((volume) => [sourceOf(volume), typeof volume === 'string' ? volume : ''] as const),
);

describe('docker-compose.yml', () => {
  test.each(services)('%s has an image with an exact version', (_name, { image }) => {
    expect(image).toMatch(/^[a-z]+:\d+\.\d+(?:\.\d+)?-[a-z-]+$/u);
  });

  test('The processes and the packages are of the Node that the project pins', () => {
    const { dependencies } = z
      .looseObject({ dependencies: z.looseObject({ node: z.string() }) })
      .parse(JSON.parse(readFileSync(new URL('package.json', root), 'utf8')));
    for (const { image } of [api, dispatcher, worker, install]) {
      expect(image).toBe(`node:${dependencies.node}-bookworm-slim`);
    }
  });

  test('Nobody but the packages installer is root, and it reaches neither servers nor secrets', () => {
    expect(services.filter(([, { user }]) => user === 'root').map(([name]) => name)).toEqual(['install']);
    expect(install.networks).toEqual(['outside']);
    expect(JSON.stringify(install)).not.toContain('${');
  });

  test('Nothing is published beyond loopback, and only the api at all', () => {
    expect(services.flatMap(([, { ports }]) => ports)).toEqual(['127.0.0.1:7316:7316']);
    expect(api.ports).toHaveLength(1);
  });

  test('Only an internal network leads to the servers', () => {
    expect(postgres.networks).toEqual(['servers']);
    expect(redis.networks).toEqual(['servers']);
    expect(compose.networks['servers']).toEqual({ internal: true });
  });

  test('The worker can be scaled: no name and no port of its own', () => {
    expect(worker).not.toHaveProperty('container_name');
    expect(worker.ports).toEqual([]);
  });

  test.each(lasting)('%s has a health check, a restart and time to stop', (_name, described) => {
    expect(described.healthcheck?.test[0]).toMatch(/^CMD(?:-SHELL)?$/u);
    expect(described.restart).toBe('unless-stopped');
    expect(described.stop_grace_period).toMatch(/^\d+[sm]$/u);
  });

  test.each(processes)('%s waits for its packages and for both servers', (_name, { depends_on }) => {
    expect(depends_on).toEqual({
      install: { condition: 'service_completed_successfully' },
      postgres: { condition: 'service_healthy' },
      redis: { condition: 'service_healthy' },
    });
  });

  test.each(processes)('%s runs a file of this tree and answers its own health check', (name, process) => {
    const [program, file, ...args] = process.command ?? [];
    expect(program).toBe('node');
    expect(file).toBe(`workers/${name}.ts`);
    expect(exists(file ?? '')).toBe(true);
    expect(process.volumes.map(sourceOf)).toContain('./workers');
    // An api listens there by itself, the others only if a port is named.
    expect(args).toEqual(name === 'api' ? ['--host', '0.0.0.0'] : ['--port', '7316']);
    expect(process.healthcheck?.test.at(-1)).toContain('http://127.0.0.1:7316/healthz');
  });

  test('What is mounted of the tree exists, and is for reading only', () => {
    const ours = mounts.filter(([source]) => source.startsWith('./'));
    expect(ours.filter(([source]) => !exists(source))).toEqual([]);
    expect(ours.filter(([, volume]) => !volume.endsWith(':ro'))).toEqual([]);
  });

  test('What is kept is kept in volumes that the file declares', () => {
    const named = mounts.map(([source]) => source).filter((source) => /^[a-z]/u.test(source));
    expect([...new Set(named)].toSorted()).toEqual(Object.keys(compose.volumes).toSorted());
  });

  test('A configuration is mounted if .env names one, and an empty one if not', () => {
    const rest = mounts.map(([source]) => source).filter((source) => !/^(?:\.\/|[a-z])/u.test(source));
    expect(rest).toEqual(processes.map(() => '${NIGHTSHIFT_CONFIG:-/dev/null}'));
  });

  test('The file with the secrets is mounted nowhere and given to nobody as a whole', () => {
    expect(services.filter(([, described]) => 'env_file' in described)).toEqual([]);
    expect(mounts.filter(([source]) => ['.', './', './.env'].includes(source))).toEqual([]);
  });

  test('No secret stands in the file: every one comes from .env, where it has no value in the example', () => {
    const secrets = services.flatMap(([, { environment }]) =>
      Object.entries(environment).filter(([name]) => /(?:KEY|TOKEN|PASSWORD)$/u.test(name)),
    );
    expect(secrets.length).toBeGreaterThan(0);
    for (const [name, value] of secrets) {
      expect(value).toMatch(new RegExp(`^\\$\\{${name}:[?-][^}]*\\}$`, 'u'));
      expect(example[name]).toBe('');
    }
    expect(api.environment['DATABASE_URL']).toMatch(
      /:\/\/nightshift:\$\{POSTGRES_PASSWORD:\?[^}]+\}@postgres:/u,
    );
  });

  test('Compose refuses to start without the password and the token, and says how to make one', () => {
    const required = variables.filter(({ operator }) => operator === ':?');
    expect(new Set(required.map(({ name }) => name))).toEqual(
      new Set(['POSTGRES_PASSWORD', 'NIGHTSHIFT_API_TOKEN']),
    );
    for (const { rest } of required) expect(rest).toContain('openssl rand');
  });

  test('No variable is left without an answer to what happens if it is not set', () => {
    expect(variables.filter(({ operator }) => operator === '')).toEqual([]);
  });

  test("The worker gets every key of the catalog's providers, and nobody else gets any", () => {
    expect(keyVariables.length).toBeGreaterThan(0);
    for (const name of keyVariables) {
      expect(worker.environment[name]).toBe(`\${${name}:-}`);
      const holders = services.filter(([, { environment }]) => name in environment);
      expect(holders.map(([holder]) => holder)).toEqual(['worker']);
    }
  });

  test('Redis keeps every write and evicts nothing', () => {
    const command = redis.command?.join(' ');
    expect(command).toContain('--appendonly yes');
    expect(command).toContain('--maxmemory-policy noeviction');
  });
});

describe('.env.example', () => {
  test('It has every variable that compose reads, and every key of the catalog', () => {
    const wanted = [...variables.map(({ name }) => name), ...keyVariables];
    expect(wanted.filter((name) => !(name in example))).toEqual([]);
  });

  test('It holds no value', () => {
    expect(Object.values(example).filter((value) => value !== '')).toEqual([]);
  });
});
