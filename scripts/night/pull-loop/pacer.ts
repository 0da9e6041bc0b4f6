/** All limits that a call on a lane has to pass, its own and its provider's. */
import type { SimulatedLimit, SimulatedTier, UnitCost } from '../../../src/simulator/tier.ts';
import { amountOf, type CallSize } from '../../../src/simulator/windows/meter.ts';
import { type Meter, meterFor, type Take } from './meter.ts';

interface MeteredLimit {
  readonly limit: SimulatedLimit;
  readonly meter: Meter;
}

/** What a call took of every limit. */
export interface Paid {
  correct(used: CallSize, nowMs: number): void;
}

/** The limits of a lane at work. */
export interface Pacer {
  /** How long until a call of this size fits every limit; 0 when it does now. */
  waitMs(size: CallSize, nowMs: number): number;
  pay(size: CallSize, nowMs: number): Paid;
  /** A size with what the lane's units cost. */
  sizeOf(promptTokens: number, outputTokens: number): CallSize;
}

/** The pacers of a tier's models, by model: what the provider limits is shared. */
export const pacersOf = (tier: SimulatedTier): ReadonlyMap<string, Pacer> => {
  const shared = tier.limits.map(metered);
  return new Map(
    tier.models.map((model) => [
      model.id,
      pacerOf([...shared, ...model.limits.map(metered)], model.unitCost),
    ]),
  );
};

const metered = (limit: SimulatedLimit): MeteredLimit => ({
  limit,
  meter: meterFor(limit.window, limit.amount),
});

const pacerOf = (limits: readonly MeteredLimit[], unitCost: UnitCost | undefined): Pacer => ({
  waitMs: (size, nowMs) =>
    Math.max(0, ...limits.map(({ limit, meter }) => meter.waitMs(amountOf(limit.metric, size), nowMs))),
  pay(size, nowMs) {
    const takes = limits.map(({ limit, meter }): [MeteredLimit, Take] => [
      { limit, meter },
      meter.take(amountOf(limit.metric, size), nowMs),
    ]);
    return {
      correct(used, correctedAtMs) {
        for (const [{ limit, meter }, take] of takes)
          meter.correct(take, amountOf(limit.metric, used), correctedAtMs);
      },
    };
  },
  sizeOf: (promptTokens, outputTokens) => ({
    promptTokens,
    outputTokens,
    ...(unitCost === undefined ? {} : { unitCost }),
  }),
});
