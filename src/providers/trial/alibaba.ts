/** Alibaba Model Studio, international: a million tokens per model once, for 90 days. It bills after that unless told not to. */
import type { CatalogLimit, CatalogModel, CatalogProvider } from '../catalog-provider.ts';
import { CAREFUL_CONTEXT_TOKENS, CAREFUL_OUTPUT_TOKENS, CLOUD_TIMEOUT_MS } from '../defaults.ts';
import { SHARED_SOURCES, undated } from '../sources.ts';
import { SECOND_WITH_JITTER } from '../windows.ts';

const CAREFUL_RATE: CatalogLimit = {
  metric: 'requests',
  amount: 1,
  window: SECOND_WITH_JITTER,
  source: 'rates',
  confidence: 'low',
  note: 'Rates differ by model and are smoothed by the second; this is a careful default.',
};

function model(id: string): CatalogModel {
  return {
    id,
    model: id,
    contextTokens: CAREFUL_CONTEXT_TOKENS,
    maxOutputTokens: CAREFUL_OUTPUT_TOKENS,
    limits: [CAREFUL_RATE],
    suits: ['small'],
    source: 'rates',
    confidence: 'low',
    note: 'Its sizes were not read: careful guesses.',
  };
}

/** The catalog entry of Alibaba Model Studio. */
export const ALIBABA: CatalogProvider = {
  id: 'alibaba',
  name: 'Alibaba Model Studio (DashScope international)',
  kind: 'vendor',
  status: 'active',
  baseUrl: 'https://dashscope-intl.aliyuncs.com/compatible-mode/v1',
  apiKeyEnv: 'DASHSCOPE_API_KEY',
  tier: 'trial',
  trainsOnData: null,
  dataNote: 'Not known.',
  regions: ['SG'],
  dialect: 'alibaba',
  refusesParameters: [],
  keyCheck: null,
  limits: [],
  models: [model('qwen-flash'), model('qwen-plus')],
  timeoutMs: CLOUD_TIMEOUT_MS,
  howToStart: 'Create a key at https://modelstudio.console.alibabacloud.com, in the region Singapore.',
  terms: 'One million tokens per model once, for 90 days; rates are per model and main account.',
  notes: [
    'Switch "free quota only" on in its console: otherwise it bills without a word once the free tokens are gone.',
    'The newer addresses hold a workspace id: put yours in `baseUrl`, https://ID.ap-southeast-1.maas.aliyuncs.com/compatible-mode/v1.',
  ],
  sources: {
    rates: { url: 'https://www.alibabacloud.com/help/en/model-studio/rate-limit', date: '2026-02-09' },
    address: {
      url: 'https://www.alibabacloud.com/help/es/model-studio/compatibility-of-openai-with-dashscope',
      date: '2026-10-13',
    },
    quotas: { url: 'https://www.alibabacloud.com/help/en/model-studio/list-quotas', date: '2026-09-28' },
    smoothing: undated('https://help.aliyun.com/zh/model-studio/rate-limit'),
    cheahjs: SHARED_SOURCES.cheahjs,
  },
};
