/** What a terminal would show of a text, for assertions about width. */
import { stripVTControlCharacters } from 'node:util';
import { textWidth } from '../../src/cli/text/width.ts';

/** The widths of a text's lines, styles aside. */
export const lineWidths = (text: string): readonly number[] =>
  stripVTControlCharacters(text)
    .split('\n')
    .map((line) => textWidth(line));
