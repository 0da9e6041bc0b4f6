/** Short reasons fit for records, logs and the board: one line, bounded, and never with a key in it. */

/** The longest reason, in UTF-16 units. */
export const MAX_REASON_LENGTH = 200;

/** No more of a text is looked at, so that a hostile body costs nothing. */
const READ_CHARACTERS = 4_000;

/** What keys of the providers look like, then anything long that mixes letters and digits. */
const SECRETS: readonly RegExp[] = [
  /\bBearer\s+[\w.~+/=-]+/giu,
  /\b(?:sk|pk|gsk|csk|hf|xai|nvapi|fw|key|r8|jina|pplx|tgp)[-_][\w*.-]{6,}/gu,
  /\bAIza[\w*-]{8,}/gu,
  /\b(?=[\w*-]{0,80}\d)(?=[\w*-]{0,80}[A-Za-z])[\w*-]{28,}/gu,
];

/** Replaces everything that looks like a key by `[redacted]`. Long ids of other kinds may go with it. */
export function redactSecrets(text: string): string {
  return SECRETS.reduce((redacted, secret) => redacted.replaceAll(secret, '[redacted]'), text);
}

/** One line of at most `MAX_REASON_LENGTH`: keys redacted, control characters and lone surrogates gone; never empty. */
export function shortReason(text: string): string {
  const line = redactSecrets(text.slice(0, READ_CHARACTERS))
    .replaceAll(/[\s\p{Cc}]+/gu, ' ')
    .trim();
  const short = line.length <= MAX_REASON_LENGTH ? line : `${line.slice(0, MAX_REASON_LENGTH - 1)}…`;
  return short === '' ? 'no reason given' : short.toWellFormed();
}
