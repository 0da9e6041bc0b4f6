/** The lanes of a night, each with everything that a call on it has to pass. */
import type { FaultRule } from '../../../src/simulator/faults/fault.ts';
import type { SimulatedLimit, SimulatedModel, SimulatedTier } from '../../../src/simulator/tier.ts';
import { amountOf, type CallSize } from '../../../src/simulator/windows/meter.ts';
import type { Night, NightDocument } from '../night.ts';

/** Part of a night, in milliseconds from its beginning; `untilMs` is not part of it. */
export interface Span {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** A model of a tier. */
export interface NightLane {
  /** Its place among all lanes of the night. */
  readonly index: number;
  /** `provider/model`. */
  readonly id: string;
  readonly tier: SimulatedTier;
  readonly model: SimulatedModel;
  /** When no call on it can succeed, as is known beforehand. */
  readonly outages: readonly Span[];
}

/** All lanes, in the order of the tiers. */
export const lanesOf = ({ tiers, faults }: Night): readonly NightLane[] =>
  tiers
    .flatMap((tier) => tier.models.map((model) => ({ tier, model })))
    .map(({ tier, model }, index) => ({
      index,
      id: `${tier.id}/${model.id}`,
      tier,
      model,
      outages: faults.filter((rule) => isOutage(rule, tier, model)).map(spanOf),
    }));

/** A rule that strikes every call of its time, and leaves none an answer. */
const isOutage = (rule: FaultRule, tier: SimulatedTier, model: SimulatedModel): boolean =>
  (rule.provider === '*' || rule.provider === tier.id) &&
  (rule.model === undefined || rule.model === model.id) &&
  rule.kind !== 'slow' &&
  rule.kind !== 'bad-parameter' &&
  rule.probability === undefined &&
  rule.count === undefined &&
  rule.afterCalls === undefined &&
  rule.everyNth === undefined;

const spanOf = ({ fromMs = 0, untilMs = Number.POSITIVE_INFINITY }: FaultRule): Span => ({ fromMs, untilMs });

/** The limits that a call on the lane has to pass: its own and its provider's. */
export const limitsOf = ({ tier, model }: NightLane): readonly SimulatedLimit[] => [
  ...model.limits,
  ...tier.limits,
];

/** What a document's call takes in the end. */
export const sizeOf = (
  { promptTokens, answerTokens }: NightDocument,
  { model: { unitCost } }: NightLane,
): CallSize => ({
  promptTokens,
  outputTokens: answerTokens,
  ...(unitCost === undefined ? {} : { unitCost }),
});

/** What it is charged with up front: the whole of its cap. */
export const sizeAtMost = (document: NightDocument, lane: NightLane): CallSize => ({
  ...sizeOf(document, lane),
  outputTokens: document.capTokens,
});

/** Whether a provider would ever let the document's call pass. */
export const mayEverServe = (lane: NightLane, document: NightDocument): boolean => {
  const { model } = lane;
  const atMost = sizeAtMost(document, lane);
  return (
    document.capTokens <= model.maxOutputTokens &&
    document.promptTokens + document.capTokens <= model.contextTokens &&
    limitsOf(lane).every(({ metric, amount }) => amountOf(metric, atMost) <= amount)
  );
};

/** How long the document's call takes at least, in ms: without jitter. */
export const shortestCallMs = ({ model: { latency } }: NightLane, { answerTokens }: NightDocument): number =>
  latency.minMs + (latency.perOutputTokenMs ?? 0) * answerTokens;
