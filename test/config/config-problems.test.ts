import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { problemsOf } from './resolve.ts';

const OWN =
  'baseUrl: http://127.0.0.1:1/v1, tier: local, models: { m: { contextTokens: 9, maxOutputTokens: 9 } }';

describe('a problem is shown with file, line, path and the way out', () => {
  const cases: readonly (readonly [string, string, readonly string[]])[] = [
    [
      'an unknown key',
      'providers:\n  groq:\n    limts: []',
      ['nightshift.yaml:3: providers.groq.limts: unknown key; did you mean `limits`?'],
    ],
    [
      'an unknown key that resembles nothing',
      'colour: red',
      ['nightshift.yaml:1: colour: unknown key; known: providers, pools, aliases'],
    ],
    [
      'a key in place of its variable, which is not repeated',
      'providers:\n  groq: { apiKeyEnv: gsk_secret }',
      [
        'nightshift.yaml:2: providers.groq.apiKeyEnv: not the name of an environment variable, such as GROQ_API_KEY (the key itself never goes in here)',
      ],
    ],
    [
      'a text for a number',
      'providers:\n  groq: { concurrency: many }',
      ['nightshift.yaml:2: providers.groq.concurrency: expected a positive whole number, got "many"'],
    ],
    [
      'a number for a mapping',
      'providers:\n  groq: 5',
      ['nightshift.yaml:2: providers.groq: expected a mapping, got 5'],
    ],
    ['a list for the whole file', '- groq', ['nightshift.yaml:1: expected a mapping, got a list']],
    [
      'broken YAML, without quoting it',
      'providers:\n  a: [',
      ['nightshift.yaml:2: not valid YAML (bad indent)'],
    ],
    [
      'a key given twice',
      'pools:\n  a: [groq/gpt-oss-20b]\n  a: [groq/gpt-oss-20b]',
      ['nightshift.yaml:3: not valid YAML (duplicate key)'],
    ],
    [
      'a duration out of range',
      'providers:\n  groq: { timeout: 31d }',
      [
        'nightshift.yaml:2: providers.groq.timeout: expected a duration from 100ms to 30d, such as 90s, 2m, 1.5h or 1d, got "31d"',
      ],
    ],
    [
      'a reserve of everything',
      'providers:\n  groq: { reserve: 100% }',
      ['nightshift.yaml:2: providers.groq.reserve: expected a share from 0% to 99%, got "100%"'],
    ],
    [
      'an unknown tier',
      'providers:\n  groq: { tier: gratis }',
      ['nightshift.yaml:2: providers.groq.tier: expected `free`, `trial`, `paid` or `local`, got "gratis"'],
    ],
    [
      'an address that is none',
      'providers:\n  groq: { baseUrl: groq }',
      [
        'nightshift.yaml:2: providers.groq.baseUrl: not an http or https address, such as http://127.0.0.1:8080/v1',
      ],
    ],
    [
      'a password inside an address, which is not repeated',
      'providers:\n  groq: { baseUrl: "https://me:secret@a.example/v1" }',
      ['nightshift.yaml:2: providers.groq.baseUrl: holds a user or password; keys belong in `apiKeyEnv`'],
    ],
    [
      "a key's variable inside an address",
      'providers:\n  groq: { baseUrl: "https://a.example/{GROQ_API_KEY}/v1" }',
      ['nightshift.yaml:2: providers.groq.baseUrl: names a key: keys go into `apiKeyEnv` only'],
    ],
    [
      'a misspelt provider',
      'providers:\n  grok: {}',
      [
        'nightshift.yaml:2: providers.grok.baseUrl: missing: `grok` is not in the catalog (did you mean `groq`?); a provider of your own needs `baseUrl`, `tier` and `models`',
      ],
    ],
    [
      'a name with a slash',
      `providers:\n  my/home: { ${OWN} }`,
      ['nightshift.yaml:2: providers["my/home"]: expected a name of a-z, 0-9 and single hyphens inside'],
    ],
    [
      'a provider of the user without a tier',
      `providers:\n  home: { ${OWN.replace('tier: local, ', '')} }`,
      [
        'nightshift.yaml:2: providers.home.tier: missing; expected `free`, `trial`, `paid` or `local`: it says what a call may cost',
      ],
    ],
    [
      'a local server without models',
      'providers:\n  ollama: {}',
      [
        'nightshift.yaml:2: providers.ollama.models: missing; list each model with its `contextTokens` and `maxOutputTokens`',
      ],
    ],
    [
      'a model without sizes',
      'providers:\n  ollama:\n    models:\n      qwen3:8b: {}',
      [
        'nightshift.yaml:4: providers.ollama.models["qwen3:8b"].contextTokens: missing; the catalog does not know this model',
        'nightshift.yaml:4: providers.ollama.models["qwen3:8b"].maxOutputTokens: missing; the catalog does not know this model',
      ],
    ],
    [
      'an output larger than the context, one of them from the catalog',
      'providers:\n  groq:\n    models:\n      gpt-oss-20b:\n        contextTokens: 8000',
      [
        'nightshift.yaml:4: providers.groq.models.gpt-oss-20b.maxOutputTokens: expected at most contextTokens (8000), got 65536',
      ],
    ],
    [
      'one model under two names',
      'providers:\n  groq:\n    models:\n      gpt-oss-20b: {}\n      openai/gpt-oss-20b: {}',
      [
        'nightshift.yaml:4: providers.groq.models.gpt-oss-20b: the same model is listed a second time under another of its names',
      ],
    ],
    [
      "a second account at one of the catalog's vendors",
      'providers:\n  groq: {}\n  groq-2:\n    baseUrl: https://api.groq.com/openai/v1/\n    tier: free\n    models: { m: { contextTokens: 9, maxOutputTokens: 9 } }',
      [
        'nightshift.yaml:3: providers.groq-2: the same free provider as `groq`: one account per provider is what their terms allow',
      ],
    ],
    [
      'an unknown dialect',
      'providers:\n  groq: { dialect: french }',
      [
        'nightshift.yaml:2: providers.groq.dialect: expected one of `openai`, `gemini`, `groq`, `openrouter`, `cloudflare`, `mistral`, `cohere`, `cerebras`, `nvidia`, `zhipu`, `alibaba`, `ollama`, got "french"',
      ],
    ],
    [
      'a lane that does not exist',
      'pools:\n  mine:\n    - groq/gpt-oss-20b\n    - groq/gpt-oss-21b',
      ['nightshift.yaml:4: pools.mine[1]: no lane `groq/gpt-oss-21b`; did you mean `groq/gpt-oss-20b`?'],
    ],
    [
      'a lane of a catalog provider that the file does not list',
      'providers:\n  groq: {}\npools:\n  mine: [gemini/gemini-3.5-flash-lite]',
      [
        'nightshift.yaml:4: pools.mine[0]: no lane `gemini/gemini-3.5-flash-lite`: `gemini` is not under `providers`; add it there',
      ],
    ],
    [
      'a lane listed twice, under two of its names',
      'pools:\n  mine: [groq/gpt-oss-20b, groq/openai/gpt-oss-20b]',
      ['nightshift.yaml:2: pools.mine[1]: `groq/openai/gpt-oss-20b` is listed twice'],
    ],
    [
      'an empty pool',
      'pools:\n  mine: []',
      ['nightshift.yaml:2: pools.mine: names no lane: list at least one'],
    ],
    [
      'the reserved pool',
      'pools:\n  all: [groq/gpt-oss-20b]',
      [
        'nightshift.yaml:2: pools.all: made by Nightshift of every lane that is not paid; choose another name',
      ],
    ],
    [
      'a pool with the name of a lane',
      'pools:\n  groq/gpt-oss-20b: [groq/gpt-oss-20b]',
      ['nightshift.yaml:2: pools["groq/gpt-oss-20b"]: also the name of a lane; choose another name'],
    ],
    [
      'an alias with the name of a pool',
      'aliases:\n  small: large',
      ['nightshift.yaml:2: aliases.small: also the name of a pool; choose another name'],
    ],
    [
      'an alias that leads nowhere',
      'aliases:\n  mini: smal',
      ['nightshift.yaml:2: aliases.mini: no pool or lane `smal`; did you mean `small`?'],
    ],
  ];

  test.each(cases)('%s', (_, text, expected) => {
    expect(problemsOf(text)).toEqual(expected);
  });
});

test('all problems of a file are reported at once, in the order of its lines', () => {
  const text = `providers:
  groq: { limts: [], timeout: soon }
  home:
    baseUrl: nowhere
    models:
      m: { contextTokens: 10, maxOutputTokens: 20 }
pools:
  mine: [home/m, home/n]
aliases:
  mini: nothing
`;
  expect(problemsOf(text).map((line) => line.split(': ', 2).join(': '))).toEqual([
    'nightshift.yaml:2: providers.groq.timeout',
    'nightshift.yaml:2: providers.groq.limts',
    'nightshift.yaml:4: providers.home.baseUrl',
    'nightshift.yaml:6: providers.home.models.m.maxOutputTokens',
    'nightshift.yaml:8: pools.mine[1]',
    'nightshift.yaml:10: aliases.mini',
  ]);
});

test('a paid account beside a free one of the same vendor is not a second free account', () => {
  const text = `providers:
  groq: {}
  groq-paid:
    baseUrl: https://api.groq.com/openai/v1
    apiKeyEnv: GROQ_PAID_KEY
    tier: paid
    models: { m: { contextTokens: 9, maxOutputTokens: 9 } }
`;
  expect(problemsOf(text)).toEqual([]);
});

test('two servers on one host at different paths are two providers', () => {
  expect(problemsOf(`providers:\n  a: ${serverAt('a')}\n  b: ${serverAt('b')}`)).toEqual([]);
  expect(problemsOf(`providers:\n  a: ${serverAt('a')}\n  b: ${serverAt('a')}`)).toHaveLength(1);
});

function serverAt(path: string): string {
  return `{ baseUrl: "http://127.0.0.1:9/${path}/v1", tier: free, models: { m: { contextTokens: 9, maxOutputTokens: 9 } } }`;
}

test('whatever a file holds, its faults end in one ConfigError whose lines all name the file', () => {
  const names = fc.constantFrom(
    'providers',
    '__proto__',
    'constructor',
    'pools',
    'aliases',
    'groq',
    'home',
    'models',
    'limits',
    'per',
    'small',
  );
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom(null, false, '', '1m', 'free', 'groq/gpt-oss-20b', 0, 5),
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(names, tie('tree'), { maxKeys: 4 }),
    ),
  }));
  const file = fc.oneof(tree, fc.record({ providers: tree, pools: tree, aliases: tree }));
  fc.assert(
    fc.property(file, (data) => {
      const lines = problemsOf(stringify(data));
      const isNoLanes = /^(None of the providers|The section `providers` lists none)/.test(lines[0] ?? '');
      for (const line of isNoLanes ? [] : lines) expect(line).toMatch(/^nightshift\.yaml:\d+: \S/);
    }),
    { numRuns: 500 },
  );
});
