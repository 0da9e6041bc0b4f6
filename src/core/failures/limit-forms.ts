/**
 * How refusals word the limit that they are about, as one table: the first form that fits decides. Source: the provider
 * facts, `quotaErrorBodies`.
 */
import type { Dialect, Metric } from '../model.ts';
import type { PeriodName } from '../quota/period-lengths.ts';

/** One wording. What its pattern does not catch in the groups `metric`, `period`, `amount` and `used` may be given beside it. */
export interface LimitForm {
  readonly seen: string;
  readonly dialect?: Dialect;
  /** With the flag `g`: a wording that is there twice with different figures names nothing. */
  readonly pattern: RegExp;
  readonly metric?: Metric;
  readonly period?: PeriodName;
  /** Weaker than a header that shows a limit as spent. */
  readonly isVague?: true;
}

/** The forms, most exact first. */
export const LIMIT_FORMS: readonly LimitForm[] = [
  {
    seen: 'Gemini quotaId GenerateRequestsPerDayPerProjectPerModel-FreeTier; the day decides where several are named',
    pattern:
      /(?<metric>InputToken|OutputToken|Token|Request)s?(?:Per[A-Z]\w{0,60}?)??Per(?<period>Day)[\w-]{0,80}(?:=(?<amount>\d{1,15}))?/gu,
  },
  {
    seen: 'Gemini quotaId GenerateContentInputTokensPerModelPerMinute-FreeTier',
    pattern:
      /(?<metric>InputToken|OutputToken|Token|Request)s?(?:Per[A-Z]\w{0,60}?)??Per(?<period>Minute)[\w-]{0,80}(?:=(?<amount>\d{1,15}))?/gu,
  },
  {
    seen: 'Gemini "Quota exceeded for metric: .../generate_content_free_tier_requests, limit: 20"',
    pattern:
      /_(?<metric>request|input_token|output_token)s?(?:_count)?, limit: (?<amount>\d{1,15})\b(?!\.\d)/gu,
  },
  {
    seen: 'Groq, OpenAI "on tokens per day (TPD): Limit 100000, Used 97050, Requested 3619"',
    pattern:
      /\bon [a-z ]{5,16} per (?<period>[a-z]{1,8}) \((?<metric>[IO]?T|R)P[A-Z]{1,2}\): Limit (?<amount>\d{1,15})(?:, Used (?<used>\d{1,15}))?/gu,
  },
  { seen: 'OpenRouter', pattern: /free-models-per-(?<period>day|min)/gu, metric: 'requests' },
  { seen: 'OpenRouter limit_source', pattern: /openrouter_free_tier_(?<period>daily)/gu, metric: 'requests' },
  {
    seen: 'Cloudflare 4006',
    pattern: /daily free allocation of (?<amount>\d[\d,]{0,18}) neurons/giu,
    metric: 'units',
    period: 'day',
  },
  {
    seen: 'Cloudflare 4006',
    dialect: 'cloudflare',
    pattern: /\| 4006(?= \||$)/gu,
    metric: 'units',
    period: 'day',
  },
  {
    seen: 'xAI "Tokens per Minute (actual/limit): 65605/16000"',
    pattern:
      /\b(?<metric>token|request)s per (?<period>[a-z]{1,8}) \(actual\/limit\): (?<used>\d{1,15})\/(?<amount>\d{1,15})/giu,
  },
  {
    seen: 'Alibaba "Requests rate limit exceeded", "You exceeded your current requests list"',
    dialect: 'alibaba',
    pattern: /requests rate limit|current requests list/giu,
    metric: 'requests',
    period: 'minute',
  },
  {
    seen: 'Alibaba "Allocated quota exceeded", "You exceeded your current quota": tokens of the minute',
    dialect: 'alibaba',
    pattern: /allocated quota|exceeded your current quota/giu,
    metric: 'tokens',
    period: 'minute',
  },
  {
    seen: 'Mistral, one request a second over all models; it says so too when the month is spent',
    dialect: 'mistral',
    pattern: /requests rate limit/giu,
    metric: 'requests',
    period: 'second',
    isVague: true,
  },
  {
    seen: 'Cohere "limited to 20 API calls / minute", Cerebras "Tokens per minute limit exceeded"',
    pattern:
      /(?:\b(?:limit|limited|max|maximum|exceeded)(?: is| of| to)?:? (?<amount>\d[\d,]{0,18}) )?(?:API )?\b(?<metric>(?:input |output )?token|request|call)s?[ -]?(?:per|\/|an?)[ -]?(?<period>sec|min|second|minute|hour|24 ?hours?|day|week|month)\b/giu,
  },
  { seen: 'SiliconFlow "TPM limit reached"', pattern: /\b(?<metric>[IO]?T|R)P(?<period>[SMHD])\b/gu },
  {
    seen: 'Ollama "you have reached your session usage limit"',
    pattern: /\b(?<period>hourly|session|daily|weekly|monthly)\b[^.|]{0,24}\blimit/giu,
  },
];
