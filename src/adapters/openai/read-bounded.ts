/** Reads a response that may be endless. */

/** No answer of a chat model is larger; a stream without end must not fill the memory. */
const MOST_BYTES = 32 * 1024 * 1024;

/** The body as text. @throws if it is larger than 32 MiB or breaks off. */
export const readBounded = async (response: Response): Promise<string> => {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MOST_BYTES) throw new Error(`Expected an answer of at most ${MOST_BYTES} bytes, got more.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
};
