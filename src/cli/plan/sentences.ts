/** Sentences for a terminal of some width: wrapped, with what follows the first line set in. */
import { span, type Style, type StyledLine } from '../text/styled.ts';
import { wrapText } from '../text/wrap.ts';

/** How a sentence looks. */
export interface SentenceLook {
  readonly style?: Style;
  /** Columns before every line of it. Default: none. */
  readonly indent?: number;
}

/** Writes a sentence as lines. */
export type Say = (text: string, look?: SentenceLook) => readonly StyledLine[];

/** Writes for that many columns; `Infinity` keeps each sentence on one line. */
export function sayWithin(columns: number): Say {
  return (text, { style = 'plain', indent = 0 } = {}) =>
    wrapText(text, Math.max(1, columns - indent), HANGING).map((line) => [
      span(`${' '.repeat(indent)}${line}`, style),
    ]);
}

const HANGING = 2;
