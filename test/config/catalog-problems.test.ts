/** What is wrong in a file because the catalog says so: what is retired, what lacks a cost, what must be listed. */
import { expect, test } from 'vitest';
import { problemsOf } from './resolve.ts';

test.each([
  [
    'a retired provider, since when and why',
    'providers:\n  github-models: {}',
    '2: providers.github-models: `github-models` is retired since 2026-07-30: GitHub shut it down and points to Azure AI Foundry and Copilot. Take it out.',
  ],
  [
    'a retired provider at an address of its own',
    'providers:\n  kluster: { baseUrl: "https://kluster.example/v1", tier: free }',
    '2: providers.kluster: `kluster` is retired since 2026-06-09: The service was closed; the company goes on as MITO. Take it out.',
  ],
  [
    'a provider that ended without a date',
    'providers:\n  petals: {}',
    '2: providers.petals: `petals` is retired: The volunteer swarm has long been inactive and never spoke the OpenAI protocol. Take it out.',
  ],
  [
    'a lane of a retired provider',
    'pools:\n  mine: [kluster/some-model]',
    '2: pools.mine[0]: no lane `kluster/some-model`: `kluster` is retired since 2026-06-09: The service was closed; the company goes on as MITO. Take it out.',
  ],
  [
    'a paid vendor without models',
    'providers:\n  openai: {}',
    '2: providers.openai.models: missing; list each model with its `contextTokens` and `maxOutputTokens`',
  ],
  [
    'a gateway without models',
    'providers:\n  vercel: {}',
    '2: providers.vercel.models: missing; list each model with its `contextTokens` and `maxOutputTokens`',
  ],
  [
    'a region that is none',
    'providers:\n  groq: { region: [EU, Europe] }',
    '2: providers.groq.region[1]: expected a code of two letters such as EU, US or CN, or a list of them, got "Europe"',
  ],
  [
    'no region at all',
    'providers:\n  groq: { region: [] }',
    '2: providers.groq.region: expected a code of two letters such as EU, US or CN, or a list of them, got a list',
  ],
  [
    'a ratio beyond reason',
    'providers:\n  groq:\n    models:\n      gpt-oss-20b: { tokenRatio: 0 }',
    '4: providers.groq.models.gpt-oss-20b.tokenRatio: expected a number from 0.1 to 10, such as 1.25, got 0',
  ],
  [
    'half a unit cost',
    'providers:\n  cloudflare:\n    models:\n      gpt-oss-20b: { unitCost: { input: 1 } }',
    '4: providers.cloudflare.models.gpt-oss-20b.unitCost.output: missing; expected a number, 0 or more',
  ],
  [
    "a model of one's own under a limit of units, without its cost",
    'providers:\n  cloudflare:\n    models:\n      new: { contextTokens: 9, maxOutputTokens: 9 }',
    '4: providers.cloudflare.models.new.unitCost: missing; a limit counts units: say what a thousand tokens cost of them, such as { input: 4.1, output: 34.9 }',
  ],
  [
    'a model with a limit of units of its own, without its cost',
    'providers:\n  groq:\n    models:\n      gpt-oss-20b: { limits: [{ units: 9, per: 1d }] }',
    '4: providers.groq.models.gpt-oss-20b.unitCost: missing; a limit counts units: say what a thousand tokens cost of them, such as { input: 4.1, output: 34.9 }',
  ],
  [
    'a limit of units over models whose cost nobody said',
    'providers:\n  groq:\n    limits:\n      - { units: 100, per: 1d }',
    '3: providers.groq.limits: counts units, and no `unitCost` is known for gpt-oss-20b and 2 more: list each under `models` with one, or as `false`',
  ],
])('%s', (_, text, problem) => {
  expect(problemsOf(text)).toEqual([`nightshift.yaml:${problem}`]);
});

test("a model of one's own under a limit of units is fine with its cost, or switched off", () => {
  const model = 'contextTokens: 9, maxOutputTokens: 9';
  const cost = 'unitCost: { input: 0.5, output: 2 }';
  expect(problemsOf(`providers:\n  cloudflare: { models: { new: { ${model}, ${cost} } } }`)).toEqual([]);
  expect(problemsOf(`providers:\n  cloudflare: { models: { new: { ${model}, enabled: false } } }`)).toEqual(
    [],
  );
});

test('a retired provider that is switched off may stay in the file', () => {
  expect(problemsOf('providers:\n  groq: {}\n  kluster: { enabled: false }')).toEqual([]);
});

test('the free models and the paid ones of one gateway go together', () => {
  const paid = 'openrouter-paid: { models: { m: { contextTokens: 9, maxOutputTokens: 9 } } }';
  expect(problemsOf(`providers:\n  openrouter: {}\n  ${paid}`)).toEqual([]);
});
