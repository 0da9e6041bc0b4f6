/**
 * What a call left behind, and what can be read out of it: the words, the wait, the bound, the parameter. Which kind of
 * failure that makes is decided in classify-failure.ts.
 */
import { type ErrorBody, readErrorBody } from './error-body.ts';
import type { Dialect } from '../model.ts';
import { MAX_WAIT_MS, parseDurationMs, parseRetryInstant } from './retry-time.ts';

/** Why no response came. `aborted` is our own doing. */
export type TransportFault = 'aborted' | 'timeout' | 'reset' | 'refused' | 'dns' | 'tls' | 'unknown';

/** What a call left behind, in the words of HTTP. */
export interface ProviderSignal {
  /** `null` where no response came. */
  readonly status: number | null;
  /** Names in any case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly bodyText: string;
  readonly transport?: TransportFault;
  readonly dialect: Dialect;
  /** The model's id as the provider knows it. */
  readonly model: string;
  /** When the response came. */
  readonly nowMs: number;
}

/** A signal with its body read. */
export interface Evidence {
  readonly dialect: Dialect;
  readonly model: string;
  readonly nowMs: number;
  /** The response's status, or the one inside the body of a 2xx. */
  readonly status: number | null;
  /** Names in lower case; OpenRouter's in-body headers where the response has none of that name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: ErrorBody;
  /** Message, codes and quota ids, to be searched. */
  readonly words: string;
}

/** Reads a signal. Never throws. */
export function gatherEvidence(signal: ProviderSignal): Evidence {
  const body = readErrorBody(signal.bodyText);
  const own = Object.entries(signal.headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  const isSuccess = signal.status !== null && signal.status < 300;
  return {
    dialect: signal.dialect,
    model: signal.model,
    nowMs: signal.nowMs,
    status: isSuccess && body.status !== null ? body.status : signal.status,
    headers: { ...body.headers, ...Object.fromEntries(own) },
    body,
    words: [body.message, ...body.codes, ...body.quotaIds].join(' '),
  };
}

/** `try again in 9m38.016s`, `Please retry in 45.5s`, `retry after 30 seconds`. */
const SPOKEN_WAIT =
  /\b(?:again|retry|wait)\s(?:in|after|for)\s(?:about\s)?(\d[\d.a-zµ]{0,40})\s?(second|sec|minute|min|hour)?/iu;

const WORD_MS: Readonly<Record<string, number>> = {
  second: 1_000,
  sec: 1_000,
  minute: 60_000,
  min: 60_000,
  hour: 3_600_000,
};

/** Where headers tell the wait, the most exact first. Groq's `x-ratelimit-reset-*` tells when the bucket is full: not here. */
const WAIT_HEADERS = [
  'retry-after',
  'x-ratelimit-reset',
  'x-ratelimit-reset-requests-day',
  'x-ratelimit-reset-tokens-minute',
  'ratelimitbysize-reset',
];

/** The instant the provider said to come back at: in words, in Gemini's `RetryInfo`, in headers; else `null`. */
export function retryInstant({ words, body, headers, nowMs }: Evidence): number | null {
  const waitMs = spokenWaitMs(words) ?? retryAfterMs(headers['retry-after-ms']);
  if (waitMs !== null) return nowMs + Math.ceil(Math.min(waitMs, MAX_WAIT_MS));
  for (const text of [body.retryDelay, ...WAIT_HEADERS.map((name) => headers[name])]) {
    const instantMs = typeof text === 'string' ? parseRetryInstant(text, nowMs) : null;
    if (instantMs !== null) return instantMs;
  }
  return null;
}

function spokenWaitMs(words: string): number | null {
  const [, amount, unit] = SPOKEN_WAIT.exec(words) ?? [];
  if (amount === undefined) return null;
  const spoken = amount.replace(/\.+$/u, '');
  const wordMs = WORD_MS[unit?.toLowerCase() ?? ''];
  if (wordMs === undefined) return parseDurationMs(spoken);
  return Number.isFinite(Number(spoken)) ? Number(spoken) * wordMs : null;
}

/** `retry-after-ms` of OpenAI and Azure. */
function retryAfterMs(value: string | undefined): number | null {
  return value !== undefined && /^\d{1,12}$/u.test(value.trim()) ? Number(value) : null;
}

/** How the providers word the bound that a prompt exceeds. */
const BOUNDS: readonly RegExp[] = [
  /\(T[PR][MD]\): Limit (\d{1,12})/u,
  /context (?:length|window|size)[^\d]{1,40}(\d{1,12})/iu,
  /tokens allowed \((\d{1,12})\)/iu,
  /limit exceeded: \d{1,12} > (\d{1,12})/iu,
];

/** The bound a refusal for size names, in tokens; else `null`. */
export function namedBound({ words }: Evidence): number | null {
  for (const bound of BOUNDS) {
    const tokens = Number(bound.exec(words)?.[1] ?? 0);
    if (tokens > 0) return tokens;
  }
  return null;
}

/** Groq: whether one request asks for more than the whole limit, so that no wait helps. */
export function asksMoreThanLimit({ words }: Evidence): boolean {
  const [, limit, requested] = /Limit (\d{1,12}),.{0,40}?Requested ~?(\d{1,12})/u.exec(words) ?? [];
  return limit !== undefined && Number(requested) > Number(limit);
}

/** How the providers word that they do not take a member of the body. */
const PARAMETERS: readonly RegExp[] = [
  /unknown name \\?"([\w.]{1,64})/iu,
  /\b(?:unsupported|unrecognized|unknown|unexpected|extra) (?:request )?(?:parameter|argument|field|property)s?(?: supplied)?:? ?['"`]?([\w.]{1,64})/iu,
  /\b(?:property|parameter|field|argument) ['"`]([\w.]{1,64})['"`]/iu,
  /['"`]([\w.]{1,64})['"`]:? (?:is |are )?(?:unsupported|not (?:supported|permitted|allowed))/iu,
];

/** The member of the body that a refusal names, without a leading `body.`; else `null`. */
export function namedParameter({ words, body }: Evidence): string | null {
  const named =
    body.parameter ??
    PARAMETERS.map((pattern) => pattern.exec(words)?.[1]).find((name) => name !== undefined);
  const name = named?.replace(/^body\./u, '').replace(/\.+$/u, '') ?? '';
  return /^[\w.[\]-]{1,100}$/u.test(name) ? name : null;
}
