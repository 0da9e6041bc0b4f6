/** Takes a key out of what a provider said, should it repeat it: nothing that is stored or shown may hold one. */

/** A shorter key may be an ordinary word (`ollama`); taken out of an answer it would maim the text. */
const SHORTEST_UNMISTAKABLE = 16;
/** Nothing shorter is a secret. */
const SHORTEST_KEY = 4;

/** Replaces the key, plain, in base64 or percent-encoded. `isAnswer`: only a key that cannot be an ordinary word. */
export const withoutKey = (text: string, key: string | undefined, isAnswer = false): string => {
  if (key === undefined || key.length < (isAnswer ? SHORTEST_UNMISTAKABLE : SHORTEST_KEY)) return text;
  const base64 = Buffer.from(key).toString('base64').replace(/=+$/u, '');
  return [key, base64, encodeURIComponent(key)].reduce(
    (cleaned, secret) => cleaned.replaceAll(secret, '[key]'),
    text,
  );
};
