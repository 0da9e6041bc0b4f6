/** `fetch` for servers that nobody controls: an answer has an end, and a call is one call. */

/** Some thirty times the longest answer of a chat model; a body without end must not fill the memory. */
const MOST_BYTES = 8 * 1024 * 1024;

/**
 * Like `fetch`, but a body of over 8 MiB breaks off with an error, whatever the status, and a redirect is an answer like
 * any other: followed, it would be a call that the quota never saw, with the key, to wherever it points.
 */
export const boundedFetch: typeof fetch = async (input, init) => {
  const response = await fetch(input, { ...init, redirect: 'manual' });
  if (response.body === null) return response;
  const { status, statusText, headers } = response;
  return new Response(response.body.pipeThrough(bound()), { status, statusText, headers });
};

const bound = (): TransformStream<Uint8Array, Uint8Array> => {
  let bytes = 0;
  return new TransformStream({
    transform(chunk, controller) {
      bytes += chunk.byteLength;
      if (bytes > MOST_BYTES) controller.error(new Error(`the answer is longer than ${MOST_BYTES} bytes`));
      else controller.enqueue(chunk);
    },
  });
};
