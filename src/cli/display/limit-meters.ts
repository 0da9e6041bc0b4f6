/** Limits as meters, one line each: what is counted, a bar, what is left of how much, when it frees. */
import type { LimitUse } from '../../app/progress.ts';
import { evidenceTexts, loweredText } from '../text/evidence-text.ts';
import { limitLabel, quotaLeft } from '../text/limit-label.ts';
import { meterBar } from '../text/meter-bar.ts';
import { fullCount, shortCount } from '../text/quantity.ts';
import { lineWidth, span, type StyledLine } from '../text/styled.ts';
import { padEnd, padStart, textWidth } from '../text/width.ts';
import { wrapText } from '../text/wrap.ts';
import { nextReset, resetText, shortResetText } from './next-reset.ts';

/** Where meters are drawn. */
export interface MeterSpace {
  /** `Infinity` where lines may be as long as they like. */
  readonly columns: number;
  readonly nowMs: number;
}

const INDENT = 4;

/** How much a line says, from all to the least that is still of use. */
const DETAILS = [
  { barWidth: 12, count: fullCount, of: ' of ', reset: resetText },
  { barWidth: 12, count: shortCount, of: '/', reset: resetText },
  { barWidth: 8, count: shortCount, of: '/', reset: shortResetText },
] as const;

type Detail = (typeof DETAILS)[number];

/**
 * The limits in columns of their own, with as much detail as fits all of them; a lowered one is followed by the evidence.
 * Lines may still be too wide for a very narrow terminal.
 */
export function meterLines(limits: readonly LimitUse[], space: MeterSpace): readonly StyledLine[] {
  return fittingLines(limits, space).flatMap((line, index) => [line, ...evidenceLines(limits[index], space)]);
}

function fittingLines(limits: readonly LimitUse[], space: MeterSpace): readonly StyledLine[] {
  let lines: readonly StyledLine[] = [];
  for (const detail of DETAILS) {
    lines = drawAll(limits, detail, space);
    if (lines.every((line) => lineWidth(line) <= space.columns)) break;
  }
  return lines;
}

function drawAll(limits: readonly LimitUse[], detail: Detail, { nowMs }: MeterSpace): readonly StyledLine[] {
  const labels = limits.map(limitLabel);
  const amounts = limits.map((limit) => amountsText(limit, detail));
  const labelWidth = Math.max(0, ...labels.map(textWidth));
  const amountWidth = Math.max(0, ...amounts.map(textWidth));
  return limits.map((limit, index) => [
    span(`${' '.repeat(INDENT)}${padEnd(labels[index] ?? '', labelWidth)}  `),
    ...meterBar(limit, detail.barWidth),
    span(`  ${padStart(amounts[index] ?? '', amountWidth)}`, quotaLeft(limit) < 1 ? 'red' : 'plain'),
    span(`  ${detail.reset(nextReset(limit, nowMs), nowMs)}`, 'dim'),
  ]);
}

/** `24 of 30 (6 reserved)`: left, of what is granted, and what is kept besides. */
function amountsText(limit: LimitUse, { count, of }: Detail): string {
  const { amount, reservedAmount } = limit;
  const reserved = reservedAmount === 0 ? '' : ` (${count(reservedAmount)} reserved)`;
  return `${count(quotaLeft(limit))}${of}${count(amount)}${reserved}`;
}

function evidenceLines(limit: LimitUse | undefined, { columns, nowMs }: MeterSpace): readonly StyledLine[] {
  const lowered = limit === undefined ? null : loweredText(limit, nowMs);
  if (limit === undefined || lowered === null) return [];
  const margin = ' '.repeat(INDENT + 2);
  return [lowered, ...evidenceTexts(limit, nowMs)].flatMap((text, index) =>
    wrapText(text, columns - margin.length, 2).map((line) => [
      span(`${margin}${line}`, index === 0 ? 'yellow' : 'dim'),
    ]),
  );
}
