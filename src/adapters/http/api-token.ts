/** The one token of the HTTP interface: what it must look like, and how it is compared. */
import { createHash, timingSafeEqual } from 'node:crypto';

/** Shorter ones can be guessed. */
const FEWEST_CHARACTERS = 16;
/** What may stand in a header without being quoted. */
const HEADER_SAFE = /^[\x21-\x7e]+$/u;

/** What is wrong with a token, as a sentence that never holds the token; `null` for a good one. */
export const tokenFlaw = (token: string): string | null => {
  if (token.length < FEWEST_CHARACTERS) {
    return `Expected NIGHTSHIFT_API_TOKEN to have at least ${FEWEST_CHARACTERS} characters, got ${token.length}. Make one with \`openssl rand -hex 24\`.`;
  }
  if (!HEADER_SAFE.test(token)) {
    return 'Expected NIGHTSHIFT_API_TOKEN to be of ASCII letters, digits and signs, got one with spaces or other characters. Make one with `openssl rand -hex 24`.';
  }
  return null;
};

/** Whether two texts are equal, in a time that tells nothing about where they differ or how long they are. */
export const isEqualSecretly = (a: string, b: string): boolean => timingSafeEqual(digest(a), digest(b));

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
