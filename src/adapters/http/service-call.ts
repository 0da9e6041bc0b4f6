/** One request to a service, and what every way of its failing means. The token is in no message. */
import { BatchRefused } from '../../app/batches.ts';
import { parseLoosely } from '../../core/json/loose-json.ts';
import { tokenFlaw } from './api-token.ts';
import { REFUSED } from './refusal.ts';
import { errorReply } from './wire-shapes.ts';

/** Where a service is, and the token that it wants. */
export interface ServiceAddress {
  /** `http://127.0.0.1:4400`; may have a path, where a proxy serves it below one. */
  readonly url: string;
  /** `null` for a service on this machine that wants none. */
  readonly token: string | null;
}

/** What is asked for. */
export interface ServiceRequest {
  readonly method: 'GET' | 'POST';
  /** Encoded, without a slash in front: `api/batches/docs`. */
  readonly path: string;
  /** Those that are `null` are left out. */
  readonly query?: Readonly<Record<string, string | number | boolean | null>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal;
}

/** A service at an address. */
export interface Service {
  /**
   * The response to a request, whose status is a success; its body has not been read.
   *
   * @throws BatchRefused for every refusal, and where nobody answers who speaks these words.
   * @throws Error where the service failed.
   */
  call(request: ServiceRequest): Promise<Response>;
  /** Some other answer than a service of this version gives; `found` is what it was. */
  stranger(found: string, cause?: unknown): BatchRefused;
  /** The connection was lost while an answer came. */
  brokenOff(cause: unknown): BatchRefused;
}

/**
 * A service that is called over `fetch`.
 *
 * @throws BatchRefused `invalid` for an address or a token that cannot be used.
 */
export const serviceAt = ({ url, token }: ServiceAddress): Service => {
  const base = baseOf(url);
  const flaw = token === null ? null : tokenFlaw(token);
  if (flaw !== null) throw new BatchRefused('invalid', flaw);
  const stranger: Service['stranger'] = (found, cause) =>
    new BatchRefused(
      'invalid',
      `Expected Nightshift to answer at ${base.href}, got ${found}. Let NIGHTSHIFT_URL name a running \`nightshift up\` of this version.`,
      { cause },
    );
  return {
    stranger,
    brokenOff: (cause) =>
      new BatchRefused(
        'unready',
        `Expected the whole answer of ${base.href}, but the connection broke off. Ask again.`,
        {
          cause,
        },
      ),
    async call(request) {
      const response = await send(base, token, request);
      if (response.ok) return response;
      throw refusalIn(response, await response.text().catch(() => ''), token !== null, stranger);
    },
  };
};

const baseOf = (url: string): URL => {
  const base = URL.parse(url.endsWith('/') ? url : `${url}/`);
  const isUsable =
    base !== null && /^https?:$/u.test(base.protocol) && base.search === '' && base.hash === '';
  if (!isUsable || base.username !== '' || base.password !== '') {
    throw new BatchRefused(
      'invalid',
      'Expected NIGHTSHIFT_URL to be an address such as http://127.0.0.1:4400, without a name or password in it, got another text. The token goes into NIGHTSHIFT_API_TOKEN.',
    );
  }
  return base;
};

const send = async (
  base: URL,
  token: string | null,
  { method, path, query = {}, headers = {}, body, signal }: ServiceRequest,
): Promise<Response> => {
  try {
    return await fetch(addressIn(base, path, query), {
      method,
      headers: {
        accept: 'application/json, application/jsonl',
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...headers,
      },
      redirect: 'manual',
      // Of an iterable that is no stream, `fetch` keeps all that was sent: a gigabyte of it took a gigabyte of memory.
      ...(body === undefined ? {} : { body: ReadableStream.from(body), duplex: 'half' }),
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    signal?.throwIfAborted();
    throw unanswered(base, error);
  }
};

const addressIn = (base: URL, path: string, query: NonNullable<ServiceRequest['query']>): URL => {
  const address = new URL(path, base);
  for (const [parameter, value] of Object.entries(query)) {
    if (value !== null) address.searchParams.set(parameter, String(value));
  }
  return address;
};

const unanswered = ({ href }: URL, cause: unknown): BatchRefused =>
  new BatchRefused(
    'unready',
    `Expected Nightshift to answer at ${href}, got no answer (${innermostCode(cause)}). Start it with \`nightshift up\`, or correct NIGHTSHIFT_URL.`,
    { cause },
  );

/** `fetch failed` says nothing; the error it came from does. */
const innermostCode = (error: unknown): string => {
  let code = 'the connection failed';
  for (let inner = error; inner instanceof Error; inner = inner.cause) {
    if ('code' in inner) code = String(inner.code);
  }
  return code;
};

const KIND_OF = new Map(
  (['not-found', 'conflict', 'invalid', 'unready'] as const).map((kind) => [REFUSED[kind].code, kind]),
);

const refusalIn = (
  { status, headers }: Response,
  bodyText: string,
  hadToken: boolean,
  stranger: Service['stranger'],
): Error => {
  const { error } = errorReply.safeParse(parseLoosely(bodyText)).data ?? {};
  const kind = KIND_OF.get(error?.code ?? '');
  if (error !== undefined && kind !== undefined) return new BatchRefused(kind, error.message);
  if (status === 401) return new BatchRefused('invalid', wrongToken(hadToken));
  if (status === 431) return new BatchRefused('invalid', TOO_LONG);
  if (error?.code === 'fault') return new Error(error.message);
  if (error !== undefined) return new BatchRefused('invalid', error.message);
  if (status >= 502 && status <= 504) return awayBehindProxy(status);
  return stranger(`status ${status} (${headers.get('content-type') ?? 'without a content type'})`);
};

const wrongToken = (hadToken: boolean): string =>
  hadToken
    ? 'Expected the token of the service, got another one. Set NIGHTSHIFT_API_TOKEN to what it is where the service runs.'
    : 'Expected a token, for the service wants one, got none. Set NIGHTSHIFT_API_TOKEN to what it is where the service runs.';

const TOO_LONG =
  'Expected the prompt and the names to fit into 250 KiB together, encoded for an address, got more. Shorten the prompt.';

const awayBehindProxy = (status: number): BatchRefused =>
  new BatchRefused(
    'unready',
    `Expected Nightshift to answer, got status ${status} from a proxy in front of it. Start it with \`nightshift up\`, or ask again later.`,
  );
