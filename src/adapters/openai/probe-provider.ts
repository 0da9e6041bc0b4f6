/** The cheapest call there is: a provider's list of models, asked with its key. It takes no tokens and no quota. */
import OpenAI, { APIConnectionTimeoutError, APIError } from 'openai';
import { isList, memberAt, parseLoosely, stringAt } from '../../core/json/loose-json.ts';
import type { Provider } from '../../core/model.ts';
import { redactSecrets, shortReason } from '../../core/failures/reason.ts';
import { withoutKey } from './without-key.ts';

/** What a provider said to the question for its models. */
export type Probe =
  | (Heard & {
      readonly kind: 'answered';
      /** The ids it lists; `null` where what came is no list of models. */
      readonly models: readonly string[] | null;
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

const NO_KEY = 'none';

/** Asks once, and never throws for what the provider does. The key goes nowhere else. */
export const probeProvider = async (provider: Provider, key: string | undefined): Promise<Probe> => {
  const client = new OpenAI({
    baseURL: provider.baseUrl,
    apiKey: key ?? NO_KEY,
    organization: null,
    project: null,
    maxRetries: 0,
    timeout: PROBE_TIMEOUT_MS,
    logLevel: 'off',
  });
  const askedAtMs = Date.now();
  try {
    const response = await client.models.list({ signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) }).asResponse();
    const clockAheadMs = clockAhead(response.headers, askedAtMs, Date.now());
    return { kind: 'answered', models: modelsIn(await response.text()), clockAheadMs };
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

/** OpenAI's form, a bare list, or a `models` member; ids with or without Google's prefix. */
const modelsIn = (bodyText: string): readonly string[] | null => {
  const body = parseLoosely(bodyText);
  const list = [memberAt(body, 'data'), memberAt(body, 'models'), body].find(isList);
  if (list === undefined) return null;
  const ids = list
    .map((model) => stringAt(model, 'id') ?? stringAt(model, 'name'))
    .filter((id) => id !== undefined);
  return ids.length === 0 ? null : ids.map((id) => id.replace(/^models\//u, ''));
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
