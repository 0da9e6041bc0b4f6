/** The cheapest call there is: one GET with the provider's key, of its list of models as a rule. It takes no tokens. */
import OpenAI, { APIConnectionTimeoutError, APIError } from 'openai';
import { parseLoosely } from '../../core/json/loose-json.ts';
import type { Provider } from '../../core/model.ts';
import { redactSecrets, shortReason } from '../../core/failures/reason.ts';
import { type AccountStanding, accountIn } from './account-standing.ts';
import { type ModelList, modelListIn } from './model-list.ts';
import { oneCallFetch } from './one-call-fetch.ts';
import { withoutKey } from './without-key.ts';

/** What a provider said. */
export type Probe =
  | (Heard & {
      readonly kind: 'answered';
      /** `null` where what came is no list of models. */
      readonly models: ModelList | null;
      /** `null` where it told nothing of the account. */
      readonly account: AccountStanding | null;
    })
  | (Heard & { readonly kind: 'refused'; readonly status: number; readonly reason: string })
  /** Nothing came back: no name, no connection, or not in time. */
  | { readonly kind: 'silent'; readonly reason: string };

interface Heard {
  /** The provider's clock less ours, by its `Date` header, good to about a second; `null` without one. */
  readonly clockAheadMs: number | null;
}

/** Longest wait for an answer. */
export const PROBE_TIMEOUT_MS = 10_000;

/** Stands in where there is no key, and is never sent: the SDK insists on a non-empty string. */
const NO_KEY = 'none';

/** What is asked of whom. */
export interface Question {
  readonly provider: Provider;
  readonly key: string | undefined;
  /** Follows the base URL, as `/models` does. */
  readonly path: string;
}

/** Asks once, and never throws for what the provider does. A redirect is not followed: the key goes nowhere else. */
export const probeProvider = async ({ provider, key, path }: Question): Promise<Probe> => {
  const client = new OpenAI({
    baseURL: provider.baseUrl,
    apiKey: key ?? NO_KEY,
    ...(key === undefined ? { defaultHeaders: { Authorization: null } } : {}),
    organization: null,
    project: null,
    maxRetries: 0,
    timeout: PROBE_TIMEOUT_MS,
    logLevel: 'off',
    fetch: oneCallFetch,
  });
  const askedAtMs = Date.now();
  try {
    const signal = AbortSignal.timeout(PROBE_TIMEOUT_MS);
    const response = await client.get(path, { signal }).asResponse();
    const clockAheadMs = clockAhead(response.headers, askedAtMs, Date.now());
    const body = parseLoosely(await response.text());
    return { kind: 'answered', models: modelListIn(body), account: accountIn(body), clockAheadMs };
  } catch (error) {
    return probeOf(error, key, askedAtMs);
  }
};

const probeOf = (error: unknown, key: string | undefined, askedAtMs: number): Probe => {
  if (error instanceof APIError && typeof error.status === 'number' && error.headers !== undefined) {
    const clockAheadMs = clockAhead(error.headers, askedAtMs, Date.now());
    return { kind: 'refused', status: error.status, reason: reasonOf(error.message, key), clockAheadMs };
  }
  const isLate = error instanceof APIConnectionTimeoutError || isAbort(error);
  const reason = isLate
    ? `no answer within ${PROBE_TIMEOUT_MS / 1_000} s`
    : reasonOf(rootMessage(error), key);
  return { kind: 'silent', reason };
};

const isAbort = (error: unknown): boolean =>
  error instanceof Error && /abort/iu.test(`${error.name} ${error.message}`);

/** Providers quote keys in their refusals. */
const reasonOf = (message: string, key: string | undefined): string =>
  shortReason(redactSecrets(withoutKey(message, key)));

/** `Date` counts whole seconds, on average half a second late; the answer was written between asking and hearing. */
const clockAhead = (headers: Headers, askedAtMs: number, heardAtMs: number): number | null => {
  const saidAtMs = Date.parse(headers.get('date') ?? '');
  return Number.isNaN(saidAtMs) ? null : saidAtMs + 500 - (askedAtMs + heardAtMs) / 2;
};

const rootMessage = (error: unknown): string => {
  let message = String(error);
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    message = cause.message || ('code' in cause ? String(cause.code) : message);
    if (cause instanceof AggregateError && cause.errors[0] instanceof Error)
      return rootMessage(cause.errors[0]);
  }
  return message;
};
