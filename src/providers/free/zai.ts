/** Z.ai (Zhipu): the GLM Flash models are free, one call at a time each, with no published rate. */
import type { CatalogLimit, CatalogModel, CatalogProvider, Evidence } from '../catalog-provider.ts';
import { CLOUD_TIMEOUT_MS } from '../defaults.ts';
import { SHARED_SOURCES } from '../sources.ts';
import { ROLLING_MINUTE } from '../windows.ts';

const LISTED: Evidence = { source: 'mnfst', confidence: 'medium' };

/** What one call at a time comes to when a call takes 30 s, reasoning included. */
const CAREFUL_RATE: CatalogLimit = {
  metric: 'requests',
  amount: 2,
  window: ROLLING_MINUTE,
  source: 'freellmapi',
  confidence: 'low',
  note: 'No rate is published, so this is a careful default: one call at a time, some 30 s each.',
};

function flash(id: string, contextTokens: number, maxOutputTokens: number): CatalogModel {
  return {
    id,
    model: id,
    contextTokens,
    maxOutputTokens,
    limits: [CAREFUL_RATE],
    suits: ['small'],
    concurrency: { calls: 1, ...LISTED },
    ...LISTED,
  };
}

/** The catalog entry of Z.ai. */
export const ZAI: CatalogProvider = {
  id: 'zai',
  name: 'Z.ai (GLM Flash models)',
  kind: 'vendor',
  status: 'active',
  baseUrl: 'https://api.z.ai/api/paas/v4',
  apiKeyEnv: 'ZAI_API_KEY',
  altEnvKeys: ['ZHIPU_API_KEY', 'ZHIPUAI_API_KEY'],
  tier: 'free',
  trainsOnData: null,
  dataNote: 'Not known.',
  regions: ['SG'],
  dialect: 'zhipu',
  refusesParameters: [],
  keyCheck: null,
  limits: [],
  models: [
    flash('glm-4.7-flash', 200_000, 131_072),
    {
      ...flash('glm-4.5-flash', 131_072, 98_304),
      confidence: 'low',
      note: 'Its retirement was announced for a day that has passed; it is still served.',
    },
    flash('glm-4.6v-flash', 131_072, 32_768),
  ],
  timeoutMs: CLOUD_TIMEOUT_MS,
  howToStart: 'Create a key on the API keys page of https://z.ai.',
  terms: 'A clause against redirecting traffic may be read against proxies.',
  notes: [
    'Keys of bigmodel.cn do not work here; for them say `baseUrl: https://open.bigmodel.cn/api/paas/v4` and `region: CN`.',
    'JSON schemas are not documented; `json_object` works.',
    'It thinks before it answers: up to 41 s to the first byte.',
  ],
  sources: {
    mnfst: SHARED_SOURCES.mnfst,
    freellmapi: SHARED_SOURCES.freellmapi,
    keys: { url: 'https://github.com/kaitranntt/ccs/issues/402', date: '2026-01-30' },
    concurrency: { url: 'https://github.com/zai-org/GLM-4/issues/802', date: '2026-01-15' },
  },
};
