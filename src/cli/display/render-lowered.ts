/** Which limits refusals have lowered: what the mark `↓` in the table of lanes stands for. */
import { isLowered, limitLabel } from '../text/limit-label.ts';
import { counted, shortCount } from '../text/quantity.ts';
import { span, type StyledLine } from '../text/styled.ts';
import { oneLine } from '../text/width.ts';
import type { LaneView } from './progress-view.ts';

/** One line that names them all, each once though its lanes share it; none where nothing is lowered. */
export function loweredLines(lanes: readonly LaneView[]): readonly StyledLine[] {
  const lowered = lanes.flatMap(({ limits }) => limits.filter(isLowered));
  const texts = lowered.map((limit) => {
    const { scope, amount, declaredAmount, evidence } = limit;
    const after = counted(evidence?.refusals ?? 0, 'refusal');
    return `${scope} ${limitLabel(limit)} to ${shortCount(amount)} of ${shortCount(declaredAmount)} after ${after}`;
  });
  if (texts.length === 0) return [];
  return [[span('↓ ', 'yellow'), span(oneLine(`lowered: ${[...new Set(texts)].join('; ')}`), 'dim')]];
}
