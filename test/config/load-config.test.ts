import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load-config.ts';
import type { LoadConfigInput } from '../../src/config/load-config.ts';
import { CONTRACT_EXAMPLE } from './contract-example.ts';

let directory = '';

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nightshift-config-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

function load(input: Partial<LoadConfigInput>) {
  const environment = { GROQ_API_KEY: 'from-process' };
  return loadConfig({
    flags: {},
    environment,
    workingDirectory: directory,
    homeDirectory: '/home/u',
    ...input,
  });
}

async function write(name: string, text: string): Promise<void> {
  await writeFile(join(directory, name), text);
}

test('nightshift.yaml in the working directory is read, and .env beside it', async () => {
  await write('nightshift.yaml', CONTRACT_EXAMPLE);
  await write(
    '.env',
    "# keys\nGEMINI_API_KEY='from file' # no key\nGEMINI_API_KEY=from-file\nexport HOME_LLM_KEY=home\n",
  );
  const config = await load({});
  expect(config.file).toBe('nightshift.yaml');
  expect(config.providers.map(({ id }) => config.keys.keyOf(id))).toEqual([
    'from-process',
    'from-file',
    'home',
  ]);
  expect(config.warnings).toEqual([]);
});

test('the process wins over .env, even with an empty value', async () => {
  await write('nightshift.yaml', 'providers:\n');
  await write('.env', 'GROQ_API_KEY=from-file\nGEMINI_API_KEY=from-file\n');
  const config = await load({ environment: { GROQ_API_KEY: '', GEMINI_API_KEY: undefined } });
  expect(config.providers.map(({ id }) => id)).toEqual(['gemini']);
});

test('.env is not read where there is no nightshift.yaml', async () => {
  await write('.env', 'GEMINI_API_KEY=from-file\n');
  const config = await load({});
  expect(config.file).toBeNull();
  expect(config.providers.map(({ id }) => id)).toEqual(['groq']);
});

test('--config wins over NIGHTSHIFT_CONFIG, which wins over the working directory', async () => {
  await mkdir(join(directory, 'a'));
  await write('nightshift.yaml', 'providers: { groq: { timeout: 1s } }');
  await write('a/b.yaml', 'providers: { groq: { timeout: 2s } }');
  await write('c.yaml', 'providers: { groq: { timeout: 3s } }');
  const environment = { GROQ_API_KEY: 'k', NIGHTSHIFT_CONFIG: 'a/b.yaml' };
  await expect(timeoutOf({})).resolves.toBe(1_000);
  await expect(timeoutOf({ environment })).resolves.toBe(2_000);
  await expect(timeoutOf({ environment, flags: { config: 'c.yaml' } })).resolves.toBe(3_000);
});

test('a named file that is not there is an error that says who named it', async () => {
  await expect(load({ flags: { config: 'x.yaml' } })).rejects.toThrow(
    'Expected the file that --config names to exist, got none at x.yaml. Correct the path, or let `npx nightshift init` write',
  );
  await expect(load({ environment: { NIGHTSHIFT_CONFIG: 'y.yaml' } })).rejects.toThrow(
    'Expected the file that NIGHTSHIFT_CONFIG names to exist, got none at y.yaml',
  );
});

test('a folder in place of the file is an error with its cause', async () => {
  await mkdir(join(directory, 'nightshift.yaml'));
  await expect(load({})).rejects.toMatchObject({
    name: 'ConfigError',
    message: `Expected ${join(directory, 'nightshift.yaml')} to be a file that can be read, got EISDIR`,
    cause: { code: 'EISDIR' },
  });
});

test('problems name the file as the user would', async () => {
  await mkdir(join(directory, 'a'));
  await write('a/b.yaml', 'pool: {}');
  await expect(load({ flags: { config: 'a/b.yaml' } })).rejects.toThrow(
    /^a\/b\.yaml:1: pool: unknown key; did you mean `pools`\?$/,
  );
});

test('a command that calls nobody may do without lanes', async () => {
  const config = await load({ environment: {}, allowNoLanes: true });
  expect(config.providers).toEqual([]);
  expect(config.pools).toEqual([]);
  expect(config.aliases).toEqual([]);
});

test('the data directory comes from --data, NIGHTSHIFT_DATA, XDG_DATA_HOME or the home directory', async () => {
  const key = { GROQ_API_KEY: 'k' };
  await expect(placeOf({})).resolves.toBe('/home/u/.local/share/nightshift');
  await expect(placeOf({ environment: { ...key, XDG_DATA_HOME: '/xdg' } })).resolves.toBe('/xdg/nightshift');
  await expect(placeOf({ environment: { ...key, XDG_DATA_HOME: 'relative' } })).resolves.toBe(
    '/home/u/.local/share/nightshift',
  );
  const environment = { ...key, XDG_DATA_HOME: '/xdg', NIGHTSHIFT_DATA: '~/night' };
  await expect(placeOf({ environment })).resolves.toBe('/home/u/night');
  await expect(placeOf({ environment, flags: { data: 'here' } })).resolves.toBe(join(directory, 'here'));
});

async function timeoutOf(input: Partial<LoadConfigInput>): Promise<number | undefined> {
  return (await load(input)).providers[0]?.lanes[0]?.timeoutMs;
}

async function placeOf(input: Partial<LoadConfigInput>): Promise<string> {
  return (await load(input)).dataDirectory;
}

test('NIGHTSHIFT_URL, from the process or .env, counts for nothing where --data names a directory', async () => {
  await write('nightshift.yaml', CONTRACT_EXAMPLE);
  await write('.env', 'NIGHTSHIFT_URL=http://from-file:7316\n');
  expect((await load({})).serviceUrl).toBe('http://from-file:7316');
  expect((await load({ flags: { data: directory } })).serviceUrl).toBeNull();
  const environment = { GROQ_API_KEY: 'k', NIGHTSHIFT_URL: 'http://from-process:7316' };
  expect((await load({ environment })).serviceUrl).toBe('http://from-process:7316');
  expect((await load({ environment, flags: { data: directory } })).serviceUrl).toBeNull();
});

test('the servers may be named in .env, and count for nothing where --data names a directory', async () => {
  await write('nightshift.yaml', CONTRACT_EXAMPLE);
  await write('.env', 'DATABASE_URL=postgresql://db/nightshift\nREDIS_URL=redis://redis:6379\n');
  expect((await load({})).home).toBe('servers');
  const embedded = await load({ flags: { data: directory } });
  expect([embedded.home, embedded.keys.servers()]).toEqual(['embedded', null]);
  await write('.env', 'DATABASE_URL=postgresql://db/nightshift\n');
  await expect(load({})).rejects.toThrow(/Expected REDIS_URL beside DATABASE_URL/);
});
