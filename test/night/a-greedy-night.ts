/** One way to make the calls of a night, in no time: whatever fits goes at once, by the simulator's own meters. */
import type { Night, NightDocument } from '../../scripts/night/night.ts';
import {
  lanesOf,
  mayEverServe,
  type NightLane,
  shortestCallMs,
  sizeAtMost,
  sizeOf,
} from '../../scripts/night/least-possible/night-lanes.ts';
import { admit, type Meter, meterFor, settle, type Ticket } from '../../src/simulator/windows/meter.ts';

interface UnderWay {
  readonly lane: NightLane;
  readonly document: NightDocument;
  readonly ticket: Ticket;
  readonly endsAtMs: number;
}

/** From the first call, at the night's beginning, to the end of the last. Every document must fit a lane. */
export const greedyMs = (night: Night): number => {
  const lanes = lanesOf(night);
  const shared = new Map(night.tiers.map((tier) => [tier, tier.limits.map(meterFor)]));
  const meters = new Map<NightLane, readonly Meter[]>(
    lanes.map((lane) => [lane, [...lane.model.limits.map(meterFor), ...(shared.get(lane.tier) ?? [])]]),
  );
  const waiting = [...night.documents];
  let underWay: readonly UnderWay[] = [];
  let nowMs = night.startsAtMs;
  let lastEndMs = nowMs;
  while (waiting.length > 0) {
    underWay = endCalls(underWay, nowMs);
    let nextMs = Math.min(Number.POSITIVE_INFINITY, ...underWay.map(({ endsAtMs }) => endsAtMs));
    for (const lane of lanes) {
      const own = meters.get(lane) ?? [];
      for (const document of waiting.filter((each) => mayEverServe(lane, each))) {
        const busy = underWay.filter((call) => call.lane === lane).length;
        if (busy >= (lane.model.concurrency ?? Number.POSITIVE_INFINITY)) break;
        const admission = admit(own, sizeAtMost(document, lane), nowMs);
        if (admission.kind === 'refused') {
          nextMs = Math.min(nextMs, nowMs + Math.max(1, Math.ceil(admission.exceeded[0].waitMs)));
          continue;
        }
        waiting.splice(waiting.indexOf(document), 1);
        const endsAtMs = nowMs + shortestCallMs(lane, document);
        underWay = [...underWay, { lane, document, ticket: admission.ticket, endsAtMs }];
        nextMs = Math.min(nextMs, endsAtMs);
        lastEndMs = Math.max(lastEndMs, endsAtMs);
      }
    }
    nowMs = nextMs;
  }
  return lastEndMs - night.startsAtMs;
};

const endCalls = (underWay: readonly UnderWay[], nowMs: number): readonly UnderWay[] => {
  for (const { ticket, document, lane, endsAtMs } of underWay)
    if (endsAtMs <= nowMs) settle(ticket, sizeOf(document, lane), nowMs);
  return underWay.filter(({ endsAtMs }) => endsAtMs > nowMs);
};
