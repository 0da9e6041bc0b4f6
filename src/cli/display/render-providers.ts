/** What `providers` shows of providers and lanes. Pure: the same standings, width and instant give the same lines. */
import type { LaneProgress } from '../../app/progress.ts';
import { BAR_CELLS, type BarPart, barParts } from '../text/meter-bar.ts';
import { type Span, span, type StyledLine } from '../text/styled.ts';
import { oneLine, textWidth } from '../text/width.ts';
import { wrapText } from '../text/wrap.ts';
import { type LaneState, stateText } from './lane-state.ts';
import { type MeterSpace, meterLines } from './limit-meters.ts';
import { type LaneStanding, type ProviderStanding, providerStandings } from './provider-standing.ts';

/** Every provider with its shared limits, then its lanes with their own; what the bars mean at the end. */
export function providerLines(lanes: readonly LaneProgress[], space: MeterSpace): readonly StyledLine[] {
  if (lanes.length === 0) return [[span('No lane is on.')]];
  const standings = providerStandings(lanes, space.nowMs);
  return [...standings.flatMap((standing) => [...oneProvider(standing, space), []]), ...legend(lanes)];
}

function oneProvider(standing: ProviderStanding, space: MeterSpace): readonly StyledLine[] {
  const { providerId, limits, closed, lanes } = standing;
  const shared = limits.length > 0 && lanes.length > 1 ? `${lanes.length} lanes share` : '';
  const state = closed === null ? shared : stateText(closed, space.nowMs);
  const style = closed === null ? 'dim' : styleOf(closed);
  return [
    ...heading([span(oneLine(providerId), 'bold')], { text: state, style }, space),
    ...meterLines(limits, space),
    ...lanes.flatMap((lane) => oneLane(lane, closed, space)),
  ];
}

function oneLane(
  { laneId, state, limits }: LaneStanding,
  closed: ProviderStanding['closed'],
  space: MeterSpace,
): readonly StyledLine[] {
  const text =
    state === closed || isOf(state, closed) ? 'closed with its provider' : stateText(state, space.nowMs);
  const name = [markOf(state), span(oneLine(laneId))];
  return [
    ...heading([span('  '), ...name], { text, style: styleOf(state) }, space),
    ...meterLines(limits, space),
  ];
}

function isOf(state: LaneState, closed: ProviderStanding['closed']): boolean {
  return state.kind === 'closed' && state.scope === closed?.scope;
}

/** The name, and beside it the state; below it where there is no room. */
function heading(
  name: readonly Span[],
  { text, style }: Span,
  { columns }: MeterSpace,
): readonly StyledLine[] {
  const nameWidth = name.reduce((width, part) => width + textWidth(part.text), 0);
  const room = columns - nameWidth - 2;
  const state = oneLine(text);
  if (state === '') return [name];
  if (textWidth(state) <= room) return [[...name, span(`  ${state}`, style)]];
  return [name, ...wrapText(state, columns - 6).map((line) => [span(`      ${line}`, style)])];
}

function markOf(state: LaneState): Span {
  switch (state.kind) {
    case 'busy':
      return span('● ', 'green');
    case 'idle':
      return span('○ ', 'dim');
    case 'paused':
      return span('‖ ', 'yellow');
    case 'used-up':
      return span('◌ ', 'yellow');
    case 'closed':
      return state.needsUser ? span('! ', 'red') : span('× ', 'yellow');
  }
}

function styleOf(state: LaneState): Span['style'] {
  switch (state.kind) {
    case 'busy':
      return 'green';
    case 'idle':
      return 'dim';
    case 'paused':
    case 'used-up':
      return 'yellow';
    case 'closed':
      return state.needsUser ? 'red' : 'yellow';
  }
}

const MEANINGS: Readonly<Record<BarPart['kind'], string>> = {
  used: 'used',
  left: 'left',
  withheld: 'withheld after refusals',
  reserved: 'reserved for other uses of the key',
};

/** The cells of the bars above that are not plain. */
function legend(lanes: readonly LaneProgress[]): readonly StyledLine[] {
  const shown = new Set(
    lanes.flatMap(({ limits }) =>
      limits.flatMap((limit) => barParts(limit).flatMap(({ kind, amount }) => (amount > 0 ? [kind] : []))),
    ),
  );
  if (shown.size === 0) return [];
  const kinds = ['used', 'left', 'withheld', 'reserved'] as const;
  const texts = kinds.filter((kind) => shown.has(kind)).map((kind) => `${BAR_CELLS[kind]} ${MEANINGS[kind]}`);
  return [[span(texts.join('   '), 'dim')]];
}
