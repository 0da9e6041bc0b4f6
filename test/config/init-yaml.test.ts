import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { resolveConfig } from '../../src/config/resolve-config.ts';
import { renderInitYaml } from '../../src/config/init-yaml.ts';
import { CATALOG } from '../../src/providers/catalog.ts';
import { ALL_KEYS, resolve } from './resolve.ts';

const FREE = CATALOG.filter(({ tier }) => tier === 'free');

test('for any keys in the environment, the file that init writes switches on what no file would', () => {
  fc.assert(
    fc.property(fc.subarray(Object.entries(ALL_KEYS)), (entries) => {
      const environment = Object.fromEntries(entries);
      const text = renderInitYaml(environment);
      const input = { environment, dataDirectory: '/data', allowNoLanes: true };
      const written = resolveConfig({ ...input, yaml: { name: 'nightshift.yaml', text } });
      expect(written.providers).toEqual(resolveConfig({ ...input, yaml: null }).providers);
      expect(
        Object.values(environment).filter((value) => value.endsWith('-key') && text.includes(value)),
      ).toEqual([]);
    }),
    { numRuns: 25 },
  );
});

test('each free provider that was not found is one uncommented line away', () => {
  const text = renderInitYaml({});
  for (const { id } of FREE) {
    const config = resolve(uncommentLine(text, id));
    expect(config.providers.map((provider) => provider.id)).toEqual([id]);
  }
});

test('each trial with models is one uncommented line away', () => {
  const trials = CATALOG.filter(({ tier, models }) => tier === 'trial' && models.length > 0);
  const text = trials.map(({ id }) => id).reduce(uncommentLine, renderInitYaml({}));
  const keys = Object.fromEntries(trials.map(({ apiKeyEnv = '' }) => [apiKeyEnv, 'k']));
  expect(resolve(text, keys).providers.map(({ id }) => id)).toEqual(trials.map(({ id }) => id));
});

test('the examples of a paid vendor, a local server and an own provider load once uncommented', () => {
  const uncommented = ['openai', 'ollama', 'home'].reduce(uncomment, renderInitYaml({}));
  const config = resolve(uncommented, { HOME_LLM_KEY: 'k', OPENAI_API_KEY: 'k' });
  expect(config.providers.map(({ id }) => id)).toEqual(['openai', 'ollama', 'home']);
});

test('every provider of the catalog is named in what init writes', () => {
  const text = renderInitYaml({});
  expect(CATALOG.filter(({ id }) => !new RegExp(`^  # +${id}(:| )`, 'm').test(text))).toEqual([]);
});

test('.env.example names every variable of the catalog', async () => {
  const text = await readFile(new URL('../../.env.example', import.meta.url), 'utf8');
  const variables = [...CATALOG.flatMap(({ apiKeyEnv }) => apiKeyEnv ?? []), 'CLOUDFLARE_ACCOUNT_ID'];
  expect(variables.filter((name) => !new RegExp(`^${name}=$`, 'm').test(text))).toEqual([]);
});

/** Takes the comment marks off the block that starts with that key and ends at the next empty line. */
function uncomment(yaml: string, key: string): string {
  return yaml.replace(new RegExp(`^  # ${key}:\\n(  # .*\\n)+`, 'm'), (block) =>
    block.replaceAll(/^ {2}# /gm, '  '),
  );
}

/** Takes the comment mark off the line that names a provider. */
function uncommentLine(yaml: string, id: string): string {
  return yaml.replace(`  # ${id}: {}`, `  ${id}: {}`);
}
