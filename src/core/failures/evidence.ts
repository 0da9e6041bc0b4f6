/**
 * What a call left behind, and what can be read out of it: the words, the limit, the bound, the parameter. Which kind of
 * failure that makes is decided in classify-failure.ts.
 */
import { type ErrorBody, readErrorBody } from './error-body.ts';
import type { NamedLimit } from './failure.ts';
import type { Dialect } from '../model.ts';
import { nameLimit } from './name-limit.ts';
import { readToldLimits, type ToldLimit } from '../quota/read-standings.ts';

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
  /** Message, codes and quota ids, divided by `|`, to be searched. */
  readonly words: string;
  /** How limits stand by the headers. */
  readonly toldLimits: readonly ToldLimit[];
  /** The limit it is about; `null` where it names none. */
  readonly named: NamedLimit | null;
}

/** Reads a signal. Never throws. */
export function gatherEvidence(signal: ProviderSignal): Evidence {
  const body = readErrorBody(signal.bodyText);
  const own = Object.entries(signal.headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  const isSuccess = signal.status !== null && signal.status < 300;
  const { dialect, model, nowMs } = signal;
  const headers = { ...body.headers, ...Object.fromEntries(own) };
  const words = [body.message, ...body.codes, ...body.quotaIds].join(' | ');
  const toldLimits = readToldLimits(dialect, headers);
  return {
    dialect,
    model,
    nowMs,
    status: isSuccess && body.status !== null ? body.status : signal.status,
    headers,
    body,
    words,
    toldLimits,
    named: nameLimit({ dialect, words, standings: toldLimits.map(({ standing }) => standing) }),
  };
}

/** How the providers word the bound that a prompt exceeds. */
const BOUNDS: readonly RegExp[] = [
  /\([IO]?TP[A-Z]{1,2}\): Limit (\d{1,12})/u,
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
