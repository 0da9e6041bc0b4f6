/** Writes the nightshift.yaml that `nightshift init` leaves behind. */
import { CATALOG } from '../providers/catalog.ts';
import type { CatalogProvider } from '../providers/catalog-provider.ts';
import type { Environment } from './key-variables.ts';
import { otherKinds } from './init-yaml-lists.ts';
import { isOnByItself } from './not-named.ts';
import { switchOn } from './switch-on.ts';

/**
 * A commented configuration: the free providers whose keys are in the environment are on, the other free ones stand
 * there commented out, with how to get a key, what their terms ask and what becomes of the data; the rest of the
 * catalog follows in short lists by kind. It loads as it is, and never holds a key.
 */
export function renderInitYaml(environment: Environment): string {
  const free = CATALOG.filter(({ tier }) => tier === 'free');
  return [
    HEAD,
    'providers:',
    ...free.map((provider) => freeSection(provider, environment)),
    ...otherKinds(),
    TAIL,
  ].join('\n');
}

const HEAD = `# Nightshift's configuration. Everything may be left out; flags and the environment win over this file.
#
# Keys never go in here. They come from the environment, or from a file .env beside this one:
#   GROQ_API_KEY=...
# One account per provider is what their terms allow.

# What is on: exactly the providers listed here. With nothing listed, or without this section, every free provider
# of the catalog whose key is in the environment. \`{}\` takes all figures from the catalog; each can be changed:
#
#   groq:
#     enabled: false                   # off, without losing the rest
#     reserve: 20%                     # leave a fifth of every limit for other uses of this key; or 50 (requests),
#                                      # or { requests: 5, tokens: 20000 }
#     concurrency: 4                   # calls under way at once, over all models
#     timeout: 90s                     # a call is aborted after this long
#     refusesParameters: [logprobs]    # left out of every call
#     limits: [...]                    # shared by all models; replaces the catalog's list
#     models:
#       gpt-oss-120b: false            # switches one model off
#       gpt-oss-20b: { concurrency: 2 }
`;

const TAIL = `
  # A provider of your own: any OpenAI-compatible server.
  # home:
  #   baseUrl: http://127.0.0.1:8080/v1  # {VARIABLE} is filled from the environment
  #   apiKeyEnv: HOME_LLM_KEY            # leave it out if the server needs no key
  #   tier: local                        # free | trial | paid | local; paid lanes work for batches with --max-cost
  #   trainsOnData: false                # null where it is unknown
  #   region: EU                         # where prompts are processed: a code or a list; leave it out if unknown
  #   dialect: openai                    # how it words refusals: openai, gemini, groq, openrouter, ...
  #   limits:                            # each: requests, tokens, inputTokens, outputTokens or units per duration
  #     - { requests: 200, per: 1d, window: calendar, timeZone: America/Los_Angeles }
  #   models:
  #     llama-8b:
  #       model: meta/llama-8b           # the server's own id, where it differs
  #       contextTokens: 131072          # prompt and output together
  #       maxOutputTokens: 8192
  #       tokenRatio: 1.25               # tokens its tokenizer makes of one of o200k, at most
  #       unitCost: { input: 4.1, output: 34.9 }   # units per thousand tokens, where a limit counts units
  #       limits:
  #         - { requests: 30, per: 1m }                        # rolling unless said: any 60 seconds
  #         - { tokens: 6000, per: 1m, window: refill }        # a bucket that refills all the time
  #         - { tokens: 500000, per: 1d, window: fixed, anchor: 2026-11-20T04:00:00Z }
  #         - { requests: 1000, per: 1month, window: calendar, timeZone: UTC }   # or 1d, or 1w from Monday
  #         - { requests: 50, per: 5h, window: session }       # from the first call on

# Named lists of lanes, in order of preference. \`small\`, \`large\`, \`private\` (nobody trains on what you send) and
# \`all\` are there without being listed.
# pools:
#   small: [groq/gpt-oss-20b, home/llama-8b]

# Other names for pools and lanes. gpt-4o-mini and its like are there already: they stand for \`small\` or \`large\`.
# aliases:
#   gpt-4o-mini: small
`;

function freeSection(provider: CatalogProvider, environment: Environment): string {
  const isOn =
    isOnByItself(provider) &&
    switchOn({ id: provider.id, entry: {}, catalog: provider }, environment).kind === 'on';
  return [
    '',
    `  # ${provider.name}: ${keyState(provider, isOn)}.`,
    ...(isOn ? [] : [`  #   ${provider.howToStart}`]),
    `  #   Data: ${provider.dataNote}`,
    `  #   Terms: ${provider.terms}`,
    ...provider.notes.map((note) => `  #   ${note}`),
    `  ${isOn ? '' : '# '}${provider.id}: {}`,
  ].join('\n');
}

function keyState({ apiKeyEnv, baseUrl }: CatalogProvider, isOn: boolean): string {
  if (apiKeyEnv === undefined) return 'works without a key, once it is named here';
  const variables = [apiKeyEnv, ...placeholders(baseUrl)].join(' and ');
  return `${variables} ${isOn ? 'found' : 'not found'} in the environment`;
}

function placeholders(baseUrl: string): readonly string[] {
  return [...baseUrl.matchAll(/\{([A-Z][A-Z0-9_]*)\}/g)].map(([, name = '']) => name);
}
