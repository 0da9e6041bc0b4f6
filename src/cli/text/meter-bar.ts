/** A limit as a bar: what is used, what is left, and what of the provider's figure is not ours to use. */
import type { LimitUse } from '../../app/progress.ts';
import { levelStyle } from './limit-label.ts';
import { type Span, span, type Style } from './styled.ts';

/** One kind of cell in a bar. */
export interface BarPart {
  readonly kind: 'used' | 'left' | 'withheld' | 'reserved';
  readonly amount: number;
}

/** How each kind of cell is drawn. */
export const BAR_CELLS: Readonly<Record<BarPart['kind'], string>> = {
  used: '█',
  left: '·',
  withheld: '×',
  reserved: '▒',
};

/** What the provider's figure consists of: `withheld` after refusals, `reserved` for other uses of the key. */
export function barParts({ used, amount, declaredAmount, reservedAmount }: LimitUse): readonly BarPart[] {
  const usedHere = Math.min(Math.max(0, used), declaredAmount);
  return [
    { kind: 'used', amount: usedHere },
    { kind: 'left', amount: Math.max(0, amount - usedHere) },
    { kind: 'withheld', amount: Math.max(0, declaredAmount - Math.max(amount, usedHere)) },
    { kind: 'reserved', amount: reservedAmount },
  ];
}

/** The bar in exactly `width` cells (4 at least), so that whatever there is has a cell of its own. */
export function meterBar(limit: LimitUse, width: number): readonly Span[] {
  const parts = barParts(limit);
  const styles: Readonly<Record<BarPart['kind'], Style>> = {
    used: levelStyle(limit),
    left: 'dim',
    withheld: 'yellow',
    reserved: 'dim',
  };
  return cellsOf(parts, width).map((cells, index) => {
    const kind = parts[index]?.kind ?? 'left';
    return span(BAR_CELLS[kind].repeat(cells), styles[kind]);
  });
}

/** Each part's share of the cells, rounded so that they add up and none that is there vanishes. */
function cellsOf(parts: readonly BarPart[], width: number): readonly number[] {
  const total = parts.reduce((sum, { amount }) => sum + amount, 0);
  const exact = parts.map(({ amount }) => (amount / total) * width);
  const cells = exact.map((share) => (share === 0 ? 0 : Math.max(1, Math.floor(share))));
  for (let spare = width - sumOf(cells); spare > 0; spare -= 1) {
    const place = placeOfLargest(cells.map((count, index) => (exact[index] ?? 0) - count));
    cells[place] = (cells[place] ?? 0) + 1;
  }
  for (let excess = sumOf(cells) - width; excess > 0; excess -= 1) {
    const place = placeOfLargest(cells);
    cells[place] = (cells[place] ?? 0) - 1;
  }
  return cells;
}

function placeOfLargest(values: readonly number[]): number {
  return values.indexOf(Math.max(...values));
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
