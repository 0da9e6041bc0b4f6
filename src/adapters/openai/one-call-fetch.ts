/** `fetch` for servers that nobody controls: an answer has an end, and a call is one call. */
import { promisify } from 'node:util';
import { brotliDecompress, inflate, unzip } from 'node:zlib';
import { type Dispatcher, getGlobalDispatcher, request } from 'undici';

/** Some thirty times the longest answer of a chat model; a body without end must not fill the memory. */
const MOST_BYTES = 8 * 1024 * 1024;

/**
 * `fetch` as the SDK uses it: a request whose body is text, answered by a response that is read whole. A body of over
 * 8 MiB, packed or unpacked, breaks off with an error; of a refusal only its text is missing then, for its status says
 * enough. A redirect is an answer like any other: followed, it would be a call that the quota never saw, with the key, to
 * wherever it points.
 *
 * On undici's `request`, since the streams of the real `fetch` cost as much as the rest of a call: with them a worker
 * reached 0.55 of a bare loop's calls per second, and some memory stayed with every call until its time-out.
 */
export const oneCallFetch: typeof fetch = async (input, init = {}) => {
  const { body = null, headers, method = 'GET', signal = null } = init;
  const dispatcher = 'dispatcher' in init ? init.dispatcher : null;
  if (body !== null && typeof body !== 'string')
    throw new Error('Expected the SDK to send text, got another kind of body.');
  const answer = await request(input instanceof Request ? input.url : input, {
    method,
    headers: { ...Object.fromEntries(new Headers(headers)), 'accept-encoding': 'identity' },
    body,
    signal,
    // The caller's signal is the deadline.
    headersTimeout: 0,
    bodyTimeout: 0,
    ...(isTelling(dispatcher) ? { dispatcher } : {}),
  });
  const answerHeaders = headersOf(answer.headers);
  const text = readWhole(answer.body, answerHeaders.get('content-encoding'));
  await text.catch((error: unknown) => {
    if (answer.statusCode < 300) throw error;
  });
  return new WholeResponse(text, { status: answer.statusCode, headers: answerHeaders });
};

/** Node's own dispatcher may be of another class than undici's, so those of {@link telling} are remembered. */
const tellers = new WeakSet<object>();
const isTelling = (value: unknown): value is Dispatcher =>
  typeof value === 'object' && value !== null && tellers.has(value);

/** The usual way out, which tells when a request goes out on a connection that stands. For one call. */
export const telling = (sent: () => void): Dispatcher => {
  const dispatcher = getGlobalDispatcher().compose(
    (dispatch) => (options, handler) =>
      dispatch(options, {
        onRequestStart: (controller, context) => {
          sent();
          handler.onRequestStart?.(controller, context);
        },
        onResponseStart: (...told) => handler.onResponseStart?.(...told),
        onResponseData: (...told) => handler.onResponseData?.(...told),
        onResponseEnd: (...told) => handler.onResponseEnd?.(...told),
        onResponseError: (...told) => handler.onResponseError?.(...told),
      }),
  );
  tellers.add(dispatcher);
  return dispatcher;
};

/** A response whose text is there already, or known to be missing. */
class WholeResponse extends Response {
  override readonly text: () => Promise<string>;
  override readonly json: () => Promise<unknown>;

  constructor(text: Promise<string>, init: ResponseInit) {
    super(null, init);
    this.text = () => text;
    this.json = async () => JSON.parse(await text);
  }
}

const readWhole = async (body: AsyncIterable<Uint8Array>, packing: string | null): Promise<string> => {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > MOST_BYTES) throw new Error(`the answer is longer than ${MOST_BYTES} bytes`);
    chunks.push(chunk);
  }
  return new TextDecoder().decode(
    await unpacked(chunks.length === 1 ? (chunks[0] ?? Buffer.of()) : Buffer.concat(chunks), packing),
  );
};

/** We ask for no packing; some servers and what stands before them pack all the same. */
const UNPACKERS: Readonly<
  Record<string, (bytes: Uint8Array, options: { maxOutputLength: number }) => Promise<Uint8Array>>
> = {
  gzip: promisify(unzip),
  'x-gzip': promisify(unzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
};

const unpacked = async (bytes: Uint8Array, packing: string | null): Promise<Uint8Array> => {
  const unpack = packing === null ? undefined : UNPACKERS[packing.trim().toLowerCase()];
  return unpack === undefined || bytes.length === 0
    ? bytes
    : await unpack(bytes, { maxOutputLength: MOST_BYTES });
};

const headersOf = (headers: Dispatcher.ResponseData['headers']): Headers => {
  const all = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined) all.append(name, one);
  }
  return all;
};
