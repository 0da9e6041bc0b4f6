/**
 * JSON that survives a parse and a stringify: users' bodies are forwarded with every number's value as written, though
 * a double cannot hold it (`12345678901234567890`, `1e400`, `-0`, thirty decimals).
 */

declare global {
  interface JSON {
    /** The wrapped primitive is written by `stringify` exactly as `text` (ES2026, in V8 since 11.4). */
    rawJSON(text: string): unknown;
    isRawJSON(value: unknown): boolean;
    parse(
      text: string,
      reviver: (this: unknown, key: string, value: unknown, context: { readonly source?: string }) => unknown,
    ): unknown;
  }
}

/** What every number has whose value a double may change: 16 digits or more, an exponent, or the form `-0`. */
const MAY_CHANGE = /\d[\d.]{15}|\d[eE][-+]?\d|-0/u;

/**
 * Like `JSON.parse`, but a number whose value a double would change becomes a raw JSON object, which `JSON.stringify`
 * writes as it was (`1.50` is still the number 1.5). Of duplicate keys the last wins; `__proto__` is a plain member.
 *
 * @throws SyntaxError where `text` is not JSON; RangeError where it is nested thousands deep.
 */
export function parseLossless(text: string): unknown {
  if (!MAY_CHANGE.test(text)) return JSON.parse(text);
  return JSON.parse(text, (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined && !isSameDecimal(source, value)
      ? JSON.rawJSON(source)
      : value,
  );
}

/** Whether a value that {@link parseLossless} gave is a number, raw or not. */
export function isNumber(value: unknown): boolean {
  return typeof value === 'number' || JSON.isRawJSON(value);
}

function isSameDecimal(source: string, value: number): boolean {
  if (source === String(value)) return true;
  if (!Number.isFinite(value) || Object.is(value, -0)) return false;
  return canonicalDecimal(source) === canonicalDecimal(String(value));
}

/** Sign, digits without zeros at either end, and the power of ten of the last one: equal for equal values. */
function canonicalDecimal(source: string): string {
  const [mantissa = '', exponent = '0'] = source.toLowerCase().split('e');
  const sign = mantissa.startsWith('-') ? '-' : '';
  const [whole = '', fraction = ''] = mantissa.slice(sign.length).split('.');
  const digits = trimLeadingZeros(whole + fraction);
  const significant = trimTrailingZeros(digits);
  if (significant === '') return '0';
  const power =
    BigInt(exponent.replace('+', '')) - BigInt(fraction.length) + BigInt(digits.length - significant.length);
  return `${sign}${significant}e${power}`;
}

function trimLeadingZeros(digits: string): string {
  let start = 0;
  while (digits[start] === '0') start += 1;
  return digits.slice(start);
}

function trimTrailingZeros(digits: string): string {
  let end = digits.length;
  while (end > 0 && digits[end - 1] === '0') end -= 1;
  return digits.slice(0, end);
}
