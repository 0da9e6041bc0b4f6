/**
 * The classes of characters that tokenizers treat differently, one table look-up per UTF-16 unit. What a class costs is
 * decided in token-estimate.ts.
 */

export const SPACE = 0;
/** White space other than the plain space. */
export const BREAK = 1;
export const LOWER = 2;
export const UPPER = 3;
/** Latin letters with marks. */
export const ACCENTED = 4;
export const CYRILLIC = 5;
export const DIGIT = 6;
/** Punctuation and symbols that are tokens of their own. */
export const MARK = 7;
/** Other scripts of two bytes in UTF-8: Greek, Hebrew, Arabic, ... */
export const TWO_BYTES = 8;
/** Han, kana, Hangul, full-width forms. */
export const IDEOGRAPH = 9;
/** Everything else of three bytes, and each half of a pair (emoji, rare scripts). */
export const THREE_BYTES = 10;

/** First unit, last unit, class; later rows overrule earlier ones. */
const RANGES: readonly (readonly [number, number, number])[] = [
  [0x0000, 0x007f, MARK],
  [0x0009, 0x000d, BREAK],
  [0x0020, 0x0020, SPACE],
  [0x0030, 0x0039, DIGIT],
  [0x0041, 0x005a, UPPER],
  [0x0061, 0x007a, LOWER],
  [0x0080, 0x07ff, TWO_BYTES],
  [0x00a0, 0x00bf, MARK],
  [0x00c0, 0x024f, ACCENTED],
  [0x0400, 0x052f, CYRILLIC],
  [0x0800, 0xffff, THREE_BYTES],
  [0x1e00, 0x1eff, ACCENTED],
  [0x2010, 0x2026, MARK],
  [0x2e80, 0x9fff, IDEOGRAPH],
  [0xac00, 0xd7af, IDEOGRAPH],
  [0xf900, 0xfaff, IDEOGRAPH],
  [0xff00, 0xffef, IDEOGRAPH],
];

const CLASSES: Uint8Array = buildClasses();

function buildClasses(): Uint8Array {
  const classes = new Uint8Array(0x1_0000);
  for (const [first, last, kind] of RANGES) classes.fill(kind, first, last + 1);
  return classes;
}

/** The class of a UTF-16 code unit, 0 to 65,535. */
export function classOf(code: number): number {
  return CLASSES[code] ?? THREE_BYTES;
}

/** Whether a class is white space. */
export function isSpace(kind: number): boolean {
  return kind === SPACE || kind === BREAK;
}

/** Whether characters of a class join into words. */
export function isWord(kind: number): boolean {
  return kind >= LOWER && kind <= CYRILLIC;
}
