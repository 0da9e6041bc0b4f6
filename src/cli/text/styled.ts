/** Lines of styled text: measured and cut first, coloured last, so that a style never counts as width. */
import { styleText } from 'node:util';
import { cutText, textWidth } from './width.ts';

/** How a piece of a line looks. */
export type Style = 'plain' | 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

/** A piece of a line. */
export interface Span {
  readonly text: string;
  readonly style: Style;
}

/** One line of a display. */
export type StyledLine = readonly Span[];

/** A piece of a line; plain unless a style is named. */
export function span(text: string, style: Style = 'plain'): Span {
  return { text, style };
}

/** Columns the line takes. */
export function lineWidth(line: StyledLine): number {
  return line.reduce((width, { text }) => width + textWidth(text), 0);
}

/** The line cut to at most that many columns, an ellipsis where something was cut. */
export function fitLine(line: StyledLine, columns: number): StyledLine {
  if (lineWidth(line) <= columns) return line;
  const kept: Span[] = [];
  let left = columns;
  for (const piece of line) {
    const width = textWidth(piece.text);
    const isLast = width >= left;
    kept.push(isLast ? span(cutText(`${piece.text}${width === left ? ' ' : ''}`, left), piece.style) : piece);
    if (isLast) break;
    left -= width;
  }
  return kept;
}

/** The line as the terminal takes it. */
export function paint(line: StyledLine, colour: boolean): string {
  return line
    .map(({ text, style }) =>
      colour && style !== 'plain' ? styleText(style, text, { validateStream: false }) : text,
    )
    .join('');
}
