/** Pollinations: shared capacity that accrues by the hour, in a unit whose worth in tokens nobody has published. */
import type { CatalogProvider } from '../catalog-provider.ts';
import { CAREFUL_OUTPUT_TOKENS, CLOUD_TIMEOUT_MS } from '../defaults.ts';
import { SHARED_SOURCES, undated } from '../sources.ts';
import { ROLLING_HOUR } from '../windows.ts';

/** The catalog entry of Pollinations. */
export const POLLINATIONS: CatalogProvider = {
  id: 'pollinations',
  name: 'Pollinations',
  kind: 'gateway',
  status: 'active',
  baseUrl: 'https://gen.pollinations.ai/v1',
  apiKeyEnv: 'POLLINATIONS_API_KEY',
  tier: 'free',
  trainsOnData: null,
  dataNote: 'Not known.',
  regions: null,
  dialect: 'openai',
  refusesParameters: [],
  keyCheck: { path: '/../account/key', provesKey: true },
  limits: [
    {
      metric: 'requests',
      amount: 1,
      window: { kind: 'rolling', perMs: 15_000 },
      source: 'legacy',
      confidence: 'low',
      note: 'Of the anonymous tier of the older address.',
    },
    {
      metric: 'requests',
      amount: 10,
      window: ROLLING_HOUR,
      source: 'freellmapi',
      confidence: 'low',
      note: 'One "pollen" an hour and IP address accrues, worth nobody knows what: a careful default.',
    },
  ],
  models: [
    {
      id: 'openai-fast',
      model: 'openai-fast',
      contextTokens: 131_072,
      maxOutputTokens: CAREFUL_OUTPUT_TOKENS,
      limits: [],
      suits: [],
      source: 'freellmapi',
      confidence: 'low',
      note: 'It was gpt-oss-20b in 2026; the largest output is not published, 8,192 is a careful guess.',
    },
  ],
  timeoutMs: CLOUD_TIMEOUT_MS,
  howToStart: 'Create a key at https://enter.pollinations.ai.',
  terms: 'Capacity is shared; the allowance is per IP address.',
  notes: ['How much an hour gives is not known: raise the limits in nightshift.yaml when yours gives more.'],
  sources: {
    freellmapi: SHARED_SOURCES.freellmapi,
    xyzs996: SHARED_SOURCES.xyzs996,
    legacy: undated('https://github.com/pollinations/pollinations/blob/01075f6/APIDOCS.md'),
  },
};
