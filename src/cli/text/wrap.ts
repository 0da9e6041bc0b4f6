/** Sentences broken into lines, for a terminal of any width. */
import { cutText, oneLine, textWidth } from './width.ts';

/**
 * The text in lines of at most that many columns (1 at least), broken at spaces; a word that is longer than a line is
 * cut with an ellipsis. Every line but the first begins with `indent` spaces, which count.
 */
export function wrapText(text: string, columns: number, indent = 0): readonly string[] {
  const margin = ' '.repeat(Math.max(0, Math.min(indent, columns - 1)));
  const lines: string[] = [];
  let line = '';
  let width = 0;
  for (const word of oneLine(text)
    .split(' ')
    .filter((part) => part !== '')) {
    const wordWidth = textWidth(word);
    if (line !== '' && width + 1 + wordWidth <= columns) {
      line += ` ${word}`;
      width += 1 + wordWidth;
      continue;
    }
    if (line !== '') lines.push(line);
    const start = lines.length === 0 ? '' : margin;
    line = start + cutText(word, columns - start.length);
    width = start.length + Math.min(wordWidth, columns - start.length);
  }
  return line === '' ? lines : [...lines, line];
}
