/**
 * Signs that the quota of an hour or longer is used up. They stand before those of a minute: several limits may be
 * broken at once, and the longest decides when to come back.
 */
import type { Evidence } from '../evidence.ts';
import type { QuotaPeriod, Scope } from '../failure.ts';
import { PERIOD_MS } from '../../quota/period-lengths.ts';
import type { Row, Verdict } from './row.ts';

const UTC_DAY: Verdict = { kind: 'day-limit', scope: 'provider', period: 'day', reset: 'utc-midnight' };

/** Whoever names the model means its own limit. */
const NAMED_LENGTHS = ['hour', 'session', 'week', 'month'] as const;

/** The rows, in order. */
export const LONG_LIMIT_SIGNS: readonly Row[] = [
  {
    seen: 'Gemini quotaId: PerDay overrules its short RetryInfo',
    status: [429],
    text: /[a-z]PerDay/u,
    means: { kind: 'day-limit', scope: 'lane', period: 'day', reset: 'window' },
  },
  {
    seen: 'OpenRouter, every model together',
    status: [429],
    text: /free-models-per-day|openrouter_free_tier_daily/iu,
    means: UTC_DAY,
  },
  { seen: 'Cloudflare 4006, every model together', text: /daily free allocation/iu, means: UTC_DAY },
  { seen: 'Cloudflare 4006', dialect: 'cloudflare', code: ['4006'], means: UTC_DAY },
  ...NAMED_LENGTHS.map((period) =>
    longLimit(period, 'lane', 'OpenAI, Groq "Rate limit reached for model `x`"', {
      text: /\bfor model [`'"]/iu,
    }),
  ),
  {
    seen: 'Cohere "API calls / month", over all endpoints; Mistral x-ratelimit-remaining-tokens-month: 0',
    status: [429],
    when: names('month'),
    means: { kind: 'day-limit', scope: 'provider', period: 'month', reset: 'window' },
  },
  longLimit(
    'day',
    'lane',
    'Groq (TPD) and (RPD); Cerebras "per day" or x-ratelimit-remaining-requests-day: 0',
    {
      words: /\bper[ -]day\b|\bdaily\b/iu,
    },
  ),
  longLimit('hour', 'lane', 'Cerebras: each model has its own', { dialect: 'cerebras' }),
  longLimit('hour', 'provider', 'LLM7, Kilo', { words: /\bper[ -]hour\b|\bhourly\b/iu }),
  longLimit('week', 'provider', 'Ollama Cloud', { words: /\bweekly\b|\bper[ -]week\b/iu }),
  longLimit('session', 'provider', 'Ollama Cloud', { words: /\bsession\b[^.|]{0,24}\blimit/iu }),
  longLimit('month', 'provider', 'monthly limits in words', { words: /\bper[ -]month\b|\bmonthly\b/iu }),
];

interface Wording {
  /** Must be there. */
  readonly text?: RegExp;
  /** Mention the period. */
  readonly words?: RegExp;
  readonly dialect?: 'cerebras';
}

/** A 429 that names a limit of that period; words that merely mention the period count only where it names none. */
function longLimit(period: QuotaPeriod, scope: Scope, seen: string, { text, words, dialect }: Wording): Row {
  return {
    seen,
    ...(dialect === undefined ? {} : { dialect }),
    ...(text === undefined ? {} : { text }),
    status: [429],
    when: (evidence) =>
      names(period)(evidence) || (namesNoPeriod(evidence) && words?.test(evidence.words) === true),
    means: { kind: 'day-limit', scope, period, reset: 'said' },
  };
}

function names(period: QuotaPeriod): (evidence: Evidence) => boolean {
  return ({ named }) => named?.periodMs === PERIOD_MS[period];
}

function namesNoPeriod({ named }: Evidence): boolean {
  return named === null || named.periodMs === null;
}
