/** The live display as text. Pure: the same view, size and colour give the same lines. */
import { fullCount } from '../text/quantity.ts';
import { fitLine, paint, span, type StyledLine } from '../text/styled.ts';
import { oneLine } from '../text/width.ts';
import { endText, paceText } from './outlook-text.ts';
import { isWait, type ProgressView } from './progress-view.ts';
import { laneLines } from './render-lanes.ts';

/** The terminal, or what is left of it. */
export interface DisplaySize {
  readonly columns: number;
  readonly rows: number;
}

/** How to draw. */
export interface DisplayOptions extends DisplaySize {
  readonly colour: boolean;
  /** By the record's clock. */
  readonly nowMs: number;
}

/**
 * At most `rows` lines, none wider than `columns`. What matters most stays when there is little room: the bar, the
 * counts, the notice, the name, then as many lanes as fit.
 */
export function renderProgress(view: ProgressView, options: DisplayOptions): string {
  const { columns, rows, colour, nowMs } = options;
  const head = headLines(view, options);
  const roomForLanes = rows - head.length - 1;
  const lanes =
    roomForLanes < 2 ? [] : [[], ...laneLines(view.lanes, { columns, rows: roomForLanes, nowMs })];
  return [...head, ...lanes]
    .slice(0, rows)
    .map((line) => paint(fitLine(line, columns), colour))
    .join('\n');
}

function headLines(view: ProgressView, { columns, rows, nowMs }: DisplayOptions): readonly StyledLine[] {
  const title = [span('nightshift  ', 'bold'), span(oneLine(view.name), 'cyan')];
  const notice = view.notice === null ? [] : [[span(oneLine(view.notice), 'yellow')]];
  const end = hasOwnLine(view)
    ? [[span(endText(view, nowMs), isWait(view.outlook) ? 'yellow' : 'bold')]]
    : [];
  const essential = [barLine(view, columns), countsLine(view, nowMs), ...end, ...notice];
  return rows > essential.length ? [title, ...essential] : essential;
}

/** What is known of the end is long where it says what is waited for. */
function hasOwnLine({ outlook }: ProgressView): boolean {
  return isWait(outlook) || outlook.kind === 'forecast';
}

const WIDEST_BAR = 48;
const NARROWEST_BAR = 8;

function barLine({ done, total }: ProgressView, columns: number): StyledLine {
  const share = total === 0 ? 0 : done / total;
  const text = `  ${fullCount(done)} of ${fullCount(total)} lines  ${Math.floor(share * 100)} %`;
  const width = Math.max(NARROWEST_BAR, Math.min(WIDEST_BAR, columns - text.length));
  const filled = Math.floor(share * width);
  return [span('━'.repeat(filled), 'green'), span('─'.repeat(width - filled), 'dim'), span(text, 'bold')];
}

function countsLine(view: ProgressView, nowMs: number): StyledLine {
  const problems = view.failed + view.bad;
  const parts: StyledLine[] = [
    [span(`${fullCount(view.failed)} failed`, view.failed > 0 ? 'red' : 'dim')],
    ...(view.bad > 0 ? [[span(`${fullCount(view.bad)} bad`, 'red')]] : []),
    [span(`${fullCount(view.parked)} parked`, view.parked > 0 ? 'yellow' : 'dim')],
    [span(`${fullCount(view.underWay)} under way`)],
    ...(isWait(view.outlook) ? [] : [[span(paceText(view.linesPerMinute))]]),
    ...(hasOwnLine(view) ? [] : [[span(endText(view, nowMs), 'bold')]]),
  ];
  const separator = span(' · ', 'dim');
  return [
    ...(problems > 0 ? [] : [span('✓ ', 'green')]),
    ...parts.flatMap((part, index) => (index === 0 ? part : [separator, ...part])),
  ];
}
