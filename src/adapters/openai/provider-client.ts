/** One call to an OpenAI-compatible provider. The only file that knows the SDK. */
import OpenAI, { APIConnectionTimeoutError, APIError, APIUserAbortError } from 'openai';
import type { CallTies, ProviderClient, ProviderReply } from '../../app/ports.ts';
import type { Lane, Provider } from '../../core/model.ts';
import { oneCallFetch, telling } from './one-call-fetch.ts';
import { withoutKey } from './without-key.ts';

/** Stands in where there is no key, and is never sent: the SDK insists on a non-empty string. */
const NO_KEY = 'none';

/** The error of an HTTP status, with the whole body: the SDK's own keeps only what it finds under `error`. */
class StatusError extends APIError {
  readonly bodyText: string;

  constructor(status: number, body: unknown, message: string | undefined, headers: Headers) {
    super(status, undefined, message, headers);
    this.bodyText = body === undefined ? (message ?? '') : JSON.stringify(body);
  }
}

/** Without retries: a call that the SDK repeats is a call that the quota never saw. */
class SingleCallClient extends OpenAI {
  protected override makeStatusError(
    status: number,
    error: object,
    message: string | undefined,
    headers: Headers,
  ): APIError {
    return new StatusError(status, error, message, headers);
  }
}

/** Clients for these providers; `keyOf` is asked once per provider, and the key goes nowhere else. */
export const openProviderClient = (
  providers: readonly Provider[],
  keyOf: (providerId: string) => string | undefined,
): ProviderClient => {
  const clients = new Map(providers.map((provider) => [provider.id, clientOf(provider, keyOf(provider.id))]));
  return {
    async chat(lane, body, ties) {
      const client = clients.get(lane.providerId);
      if (client === undefined) {
        throw new Error(
          `Expected the provider of lane ${lane.id} in the configuration, got none with that name.`,
        );
      }
      return cleaned(await call(client, lane, body, ties), keyOf(lane.providerId));
    },
  };
};

const clientOf = ({ baseUrl }: Provider, key: string | undefined): OpenAI =>
  new SingleCallClient({
    baseURL: baseUrl,
    apiKey: key ?? NO_KEY,
    // Anonymous tiers refuse a key that they do not know, so none is sent.
    ...(key === undefined ? { defaultHeaders: { Authorization: null } } : {}),
    organization: null,
    project: null,
    maxRetries: 0,
    logLevel: 'off',
    fetch: oneCallFetch,
  });

const cleaned = (reply: ProviderReply, key: string | undefined): ProviderReply => {
  if (reply.kind === 'transport') return { ...reply, message: withoutKey(reply.message, key) };
  const isAnswer = reply.status >= 200 && reply.status < 300;
  const headers = Object.entries(reply.headers).map(([name, value]) => [name, withoutKey(value, key)]);
  return {
    ...reply,
    headers: Object.fromEntries(headers),
    bodyText: withoutKey(reply.bodyText, key, isAnswer),
  };
};

const call = async (
  client: OpenAI,
  lane: Lane,
  body: Readonly<Record<string, unknown>>,
  { signal, sent }: CallTies,
): Promise<ProviderReply> => {
  const deadline = deadlineOf(signal, lane.timeoutMs);
  try {
    const response = await client
      .post('/chat/completions', {
        body: { ...body, model: lane.model },
        signal: deadline.signal,
        timeout: lane.timeoutMs + 1_000,
        ...(sent === undefined ? {} : { fetchOptions: { dispatcher: telling(sent) } }),
      })
      .asResponse();
    const bodyText = await response.text();
    return { kind: 'http', status: response.status, headers: Object.fromEntries(response.headers), bodyText };
  } catch (error) {
    return replyOf(error, signal.aborted, deadline.hasPassed());
  } finally {
    deadline.forget();
  }
};

/** A call's end: its own time, or the end of all calls. Forgotten with the call; `AbortSignal.timeout` lives on for minutes. */
const deadlineOf = (ended: AbortSignal, timeoutMs: number) => {
  const controller = new AbortController();
  let isLate = false;
  const end = (): void => controller.abort();
  const timer = setTimeout(() => {
    isLate = true;
    controller.abort();
  }, timeoutMs);
  if (ended.aborted) end();
  else ended.addEventListener('abort', end, { once: true });
  return {
    signal: controller.signal,
    hasPassed: () => isLate,
    forget: (): void => {
      clearTimeout(timer);
      ended.removeEventListener('abort', end);
    },
  };
};

const replyOf = (error: unknown, isEnded: boolean, isLate: boolean): ProviderReply => {
  if (error instanceof StatusError) {
    return {
      kind: 'http',
      status: error.status ?? 0,
      headers: Object.fromEntries(error.headers ?? []),
      bodyText: error.bodyText,
    };
  }
  const message = rootMessage(error);
  if (isEnded) return { kind: 'transport', problem: 'aborted', message };
  if (isLate || error instanceof APIConnectionTimeoutError) {
    return { kind: 'transport', problem: 'timeout', message: 'no answer in time' };
  }
  if (error instanceof APIUserAbortError) return { kind: 'transport', problem: 'aborted', message };
  return { kind: 'transport', problem: problemOf(rootCode(error)), message };
};

/** System error codes of Node's sockets and of undici, by what they say about the call. */
const PROBLEMS: Readonly<Record<string, Extract<ProviderReply, { kind: 'transport' }>['problem']>> = {
  ECONNREFUSED: 'refused',
  ENETUNREACH: 'refused',
  EHOSTUNREACH: 'refused',
  EADDRNOTAVAIL: 'refused',
  UND_ERR_CONNECT_TIMEOUT: 'refused',
  ENOTFOUND: 'dns',
  EAI_AGAIN: 'dns',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  UND_ERR_SOCKET: 'reset',
  UND_ERR_HEADERS_TIMEOUT: 'timeout',
  UND_ERR_BODY_TIMEOUT: 'timeout',
  ETIMEDOUT: 'timeout',
  CERT_HAS_EXPIRED: 'tls',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'tls',
  SELF_SIGNED_CERT_IN_CHAIN: 'tls',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'tls',
  ERR_TLS_CERT_ALTNAME_INVALID: 'tls',
};

const problemOf = (code: string | null): Extract<ProviderReply, { kind: 'transport' }>['problem'] =>
  (code === null ? undefined : PROBLEMS[code]) ?? 'unknown';

/** The innermost cause says what happened; the outer ones only say that something did. */
const rootCode = (error: unknown): string | null => {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ('code' in cause && typeof cause.code === 'string') return cause.code;
    if (cause instanceof AggregateError && cause.errors.length > 0) return rootCode(cause.errors[0]);
  }
  return null;
};

const rootMessage = (error: unknown): string => {
  let message = String(error);
  for (let cause = error; cause instanceof Error; cause = cause.cause) message = cause.message || message;
  return message;
};
