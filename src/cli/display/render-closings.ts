/** Why lanes are closed, across the whole width: what the table of lanes has no room for. */
import { span, type StyledLine } from '../text/styled.ts';
import { oneLine } from '../text/width.ts';
import { type LaneState, stateText } from './lane-state.ts';
import type { LaneView } from './progress-view.ts';

type Closed = Extract<LaneState, { kind: 'closed' }>;

/** One line that says which providers or lanes need a person and why; none where nothing does. */
export function neededLines(lanes: readonly LaneView[]): readonly StyledLine[] {
  const needs = closings(lanes).filter(({ needsUser }) => needsUser);
  if (needs.length === 0) return [];
  const text = needs.map(({ scope, reason }) => `${scope}: ${reason}`).join('; ');
  return [[span('! ', 'red'), span(oneLine(`needs you: ${text}`), 'red')]];
}

/** One line for each reason that will pass by itself, with its time. */
export function closedLines(lanes: readonly LaneView[], nowMs: number): readonly StyledLine[] {
  return closings(lanes)
    .filter(({ needsUser }) => !needsUser)
    .map((state) => [
      span('× ', 'yellow'),
      span(oneLine(`${state.scope}: ${stateText(state, nowMs)}`), 'dim'),
    ]);
}

/** One of each scope: a provider that is closed closes all its lanes for the same reason. */
function closings(lanes: readonly LaneView[]): readonly Closed[] {
  const closed = lanes.flatMap(({ state }) => (state.kind === 'closed' ? [state] : []));
  return [...new Map(closed.map((state) => [state.scope, state])).values()];
}
