/** `fetch` for servers that nobody controls: an answer has an end, and a call is one call. */
import { type Dispatcher, request } from 'undici';

/** Some thirty times the longest answer of a chat model; a body without end must not fill the memory. */
const MOST_BYTES = 8 * 1024 * 1024;

/**
 * `fetch` as the SDK uses it: a request whose body is text, answered by a response that is read whole. A body of over
 * 8 MiB breaks off with an error, whatever the status, and a redirect is an answer like any other: followed, it would be
 * a call that the quota never saw, with the key, to wherever it points.
 *
 * On undici's `request`, since the streams of the real `fetch` cost as much as the rest of a call: with them a worker
 * reached 0.55 of a bare loop's calls per second, and some memory stayed with every call until its time-out.
 */
export const oneCallFetch: typeof fetch = async (input, init = {}) => {
  const { body = null, headers, method = 'GET', signal = null } = init;
  if (body !== null && typeof body !== 'string')
    throw new Error('Expected the SDK to send text, got another kind of body.');
  const answer = await request(input instanceof Request ? input.url : input, {
    method,
    headers: Object.fromEntries(new Headers(headers)),
    body,
    signal,
    // The caller's signal is the deadline.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  return new WholeResponse(await readWhole(answer.body), {
    status: answer.statusCode,
    headers: headersOf(answer.headers),
  });
};

/** A response whose text is there already. */
class WholeResponse extends Response {
  override readonly text: () => Promise<string>;
  override readonly json: () => Promise<unknown>;

  constructor(text: string, init: ResponseInit) {
    super(null, init);
    this.text = async () => text;
    this.json = async () => JSON.parse(text);
  }
}

const readWhole = async (body: AsyncIterable<Uint8Array>): Promise<string> => {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > MOST_BYTES) throw new Error(`the answer is longer than ${MOST_BYTES} bytes`);
    chunks.push(chunk);
  }
  return new TextDecoder().decode(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks));
};

const headersOf = (headers: Dispatcher.ResponseData['headers']): Headers => {
  const all = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined) all.append(name, one);
  }
  return all;
};
