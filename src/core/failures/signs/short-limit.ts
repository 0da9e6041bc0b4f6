/** Signs of limits that pass within a minute or so. Refusals for want of capacity are not about our quota; the other 429s are. */
import type { Evidence } from '../evidence.ts';
import { retryInstant } from '../retry-instant.ts';
import { BUSY, type Row } from './row.ts';

/** The rows, in order; the last takes every 429 that is left. */
export const SHORT_LIMIT_SIGNS: readonly Row[] = [
  {
    seen: 'Mistral "Service tier capacity exceeded for this model."',
    text: /service tier capacity exceeded/iu,
    means: BUSY,
  },
  { seen: 'Cloudflare 3040', text: /capacity temporarily exceeded/iu, means: BUSY },
  { seen: 'Cloudflare 3040', dialect: 'cloudflare', code: ['3040'], means: BUSY },
  { seen: 'Zhipu 1305', dialect: 'zhipu', code: ['1305'], means: BUSY },
  { seen: 'Zhipu, TGI, Anthropic overloaded_error', status: [429], text: /\boverloaded/iu, means: BUSY },
  {
    seen: 'Zhipu 1302 "High concurrency usage of this API"; Ollama Cloud, DeepInfra',
    status: [429],
    text: /\b(?:high|too many|max(?:imum)?|exceed\w{0,4})\b[^.|]{0,40}\bconcurren|\bconcurren\w{2,8}\b[^.|]{0,40}\b(?:limit|exceed|reached)/iu,
    means: { kind: 'minute-limit', scope: 'lane', isConcurrency: true },
  },
  {
    seen: 'Zhipu 1302',
    dialect: 'zhipu',
    code: ['1302'],
    means: { kind: 'minute-limit', scope: 'lane', isConcurrency: true },
  },
  {
    seen: 'OpenRouter, every model together',
    status: [429],
    text: /free-models-per-min/iu,
    means: { kind: 'minute-limit', scope: 'provider' },
  },
  {
    seen: "Mistral: limits are the organization's",
    dialect: 'mistral',
    status: [429],
    means: { kind: 'minute-limit', scope: 'provider' },
  },
  {
    seen: 'Cloudflare: requests per minute of the account',
    dialect: 'cloudflare',
    status: [429],
    means: { kind: 'minute-limit', scope: 'provider' },
  },
  {
    seen: 'a 429 with a long wait is no minute limit',
    status: [429],
    when: hasLongWait,
    means: { kind: 'day-limit', scope: 'lane', period: 'day', reset: 'said' },
  },
  { seen: 'every provider', status: [429], means: { kind: 'minute-limit', scope: 'lane' } },
];

/** A limit that asks for a longer wait than this is a window longer than a minute. */
const LONGEST_MINUTE_WAIT_MS = 10 * 60_000;

function hasLongWait(evidence: Evidence): boolean {
  const retryAtMs = retryInstant(evidence);
  return retryAtMs !== null && retryAtMs - evidence.nowMs > LONGEST_MINUTE_WAIT_MS;
}
