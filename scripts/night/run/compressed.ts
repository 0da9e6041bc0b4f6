/** What of a night is in real time, made as much shorter as its clock runs faster: how long calls take. */
import type { FaultRule } from '../../../src/simulator/faults/fault.ts';
import type { SimulatedTier } from '../../../src/simulator/tier.ts';

/** Windows and fault times go by the simulator's clock; latencies are slept. */
export const compressedTiers = (tiers: readonly SimulatedTier[], rate: number): readonly SimulatedTier[] =>
  tiers.map((tier) => ({
    ...tier,
    models: tier.models.map((model) => {
      const { minMs, perOutputTokenMs = 0, jitterMs = 0 } = model.latency;
      const latency = {
        minMs: minMs / rate,
        perOutputTokenMs: perOutputTokenMs / rate,
        jitterMs: jitterMs / rate,
      };
      return { ...model, latency };
    }),
  }));

/** The same for what slow calls add. */
export const compressedFaults = (faults: readonly FaultRule[], rate: number): readonly FaultRule[] =>
  faults.map((fault) =>
    fault.latencyMs === undefined ? fault : { ...fault, latencyMs: fault.latencyMs / rate },
  );
