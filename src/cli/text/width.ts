/** How many columns of a terminal a text takes. */

/** Scripts and pictures that a terminal draws two columns wide. */
const WIDE =
  /[\p{Emoji_Presentation}\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]/u;
/** Marks and invisible characters that take no column of their own. */
const NARROWLESS = /[\p{Mn}\p{Me}\p{Cf}]/u;

/** Columns of one code point; control characters must be gone, see {@link oneLine}. */
function characterWidth(character: string): number {
  if (NARROWLESS.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}

/** Columns of a text without styles and line breaks. */
export function textWidth(text: string): number {
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width;
}

/** The text on one line, without anything a terminal would obey. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]+/gu, ' ').toWellFormed();
}

/** The text cut to at most that many columns, an ellipsis where something was cut. */
export function cutText(text: string, columns: number): string {
  if (textWidth(text) <= columns) return text;
  if (columns < 1) return '';
  let width = 0;
  let kept = '';
  for (const character of text) {
    width += characterWidth(character);
    if (width > columns - 1) break;
    kept += character;
  }
  return `${kept}…`;
}

/** Padded with spaces on the right to that many columns; longer texts are cut. */
export function padEnd(text: string, columns: number): string {
  const cut = cutText(text, columns);
  return cut + ' '.repeat(columns - textWidth(cut));
}

/** Padded with spaces on the left to that many columns; longer texts are cut. */
export function padStart(text: string, columns: number): string {
  const cut = cutText(text, columns);
  return ' '.repeat(columns - textWidth(cut)) + cut;
}
