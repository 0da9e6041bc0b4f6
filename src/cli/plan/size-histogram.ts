/** How long the prompts are, as bars: one for every doubling. */
import type { SizeBar } from '../../core/plan/tally.ts';
import { fullCount } from '../text/quantity.ts';
import { span, type StyledLine } from '../text/styled.ts';
import { padEnd, padStart } from '../text/width.ts';

/** Bars of a terminal of that many columns, `Infinity` where there is none; the last bar is never cut. */
export function sizeHistogram(bars: readonly SizeBar[], columns: number): readonly StyledLine[] {
  const labels = bars.map(({ fromTokens, toTokens }) => `${fullCount(fromTokens)}–${fullCount(toTokens)}`);
  const counts = bars.map(({ count }) => fullCount(count));
  const labelWidth = Math.max(0, ...labels.map(({ length }) => length));
  const countWidth = Math.max(0, ...counts.map(({ length }) => length));
  const width = Math.max(NARROWEST, Math.min(WIDEST, columns - labelWidth - countWidth - 2 * INDENT - 2));
  const most = Math.max(1, ...bars.map(({ count }) => count));
  return bars.map(({ count }, index) => [
    span(`${' '.repeat(INDENT)}${padStart(labels[index] ?? '', labelWidth)}  `),
    span(padEnd(barOf((count / most) * width), width), 'cyan'),
    span(`  ${padStart(counts[index] ?? '', countWidth)}`),
  ]);
}

const INDENT = 2;
const WIDEST = 40;
const NARROWEST = 8;
/** From an eighth of a cell to seven. */
const EIGHTHS = ['▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** A bar of so many cells; whatever there is has at least its eighth. */
function barOf(cells: number): string {
  if (cells <= 0) return '';
  const eighths = Math.max(1, Math.round(cells * 8));
  return '█'.repeat(Math.floor(eighths / 8)) + (EIGHTHS[(eighths % 8) - 1] ?? '');
}
