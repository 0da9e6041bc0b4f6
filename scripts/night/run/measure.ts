/** What a run came to, by the providers' own log of calls. */
import type { CallRecord } from '../../../src/simulator/call-log.ts';
import type { FaultRule } from '../../../src/simulator/faults/fault.ts';
import { amountOf } from '../../../src/simulator/windows/meter.ts';
import { lanesOf, limitsOf, type NightLane } from '../least-possible/night-lanes.ts';
import { timesFull } from '../least-possible/window-capacity.ts';
import type { Night } from '../night.ts';
import { describeLimit } from '../../../src/simulator/describe-limit.ts';

/** One run in figures. Durations are of the night. */
export interface RunFigures {
  /** Of the first call, on the night's calendar. */
  readonly firstCallAtMs: number;
  /** From the first call's arrival to the end of the last that succeeded. */
  readonly makespanMs: number;
  /** When nine tenths of the documents had been answered: what comes after is the tail. */
  readonly nineTenthsMs: number;
  readonly calls: number;
  /** 429s for a limit of the tier. */
  readonly rejected: number;
  readonly failed: number;
  /** Documents that were answered, each counted once. */
  readonly documentsDone: number;
  /** Those by the deadline, where the night has one. */
  readonly doneByDeadline: number | null;
  readonly lanes: readonly LaneUse[];
  /** Rejections by lane and limit. */
  readonly rejections: Readonly<Record<string, number>>;
}

/** How a lane was used. */
export interface LaneUse {
  readonly laneId: string;
  /** Calls that were answered. */
  readonly succeeded: number;
  readonly tokens: number;
  /** The bound that was used the most, of the time of the run: a limit, or the calls at once. */
  readonly binding: string;
  /** How much of it, from 0 to 1. */
  readonly share: number;
}

/** Reads the log. Throws if no call succeeded. */
export const measureRun = (night: Night, calls: readonly CallRecord[]): RunFigures => {
  const succeeded = calls.filter(({ outcome }) => outcome.kind === 'succeeded');
  const firstCallAtMs = calls.reduce((first, { arrivedAtMs }) => Math.min(first, arrivedAtMs), Infinity);
  const endsAtMs = succeeded.reduce((last, call) => Math.max(last, call.arrivedAtMs + call.durationMs), 0);
  if (succeeded.length === 0) throw new Error('Expected at least one call to be answered, got none.');
  const { deadlineMs } = night;
  const makespanMs = endsAtMs - firstCallAtMs;
  const rejected = calls.filter(({ outcome }) => outcome.kind === 'rejected');
  return {
    firstCallAtMs,
    makespanMs,
    nineTenthsMs: endOfNineTenths(succeeded, night.documents.length) - firstCallAtMs,
    calls: calls.length,
    rejected: rejected.length,
    failed: calls.filter(({ outcome }) => outcome.kind === 'failed').length,
    documentsDone: documentsOf(succeeded),
    doneByDeadline:
      deadlineMs === null
        ? null
        : documentsOf(
            succeeded.filter((call) => call.arrivedAtMs + call.durationMs <= firstCallAtMs + deadlineMs),
          ),
    lanes: lanesOf(night).map((lane) => useOf(lane, calls, { firstCallAtMs, makespanMs })),
    rejections: countsOf(rejected),
  };
};

/** NaN where fewer were answered. */
const endOfNineTenths = (succeeded: readonly CallRecord[], documents: number): number => {
  const ends = Map.groupBy(succeeded, ({ messagesHash }) => messagesHash)
    .values()
    .map((calls) => Math.min(...calls.map((call) => call.arrivedAtMs + call.durationMs)))
    .toArray()
    .toSorted((left, right) => left - right);
  return ends[Math.ceil(documents * 0.9) - 1] ?? Number.NaN;
};

const documentsOf = (calls: readonly CallRecord[]): number =>
  new Set(calls.map(({ messagesHash }) => messagesHash)).size;

const countsOf = (rejected: readonly CallRecord[]): Readonly<Record<string, number>> => {
  const names = rejected.map(
    ({ provider, model, outcome }) =>
      `${provider}/${model ?? '?'}: ${outcome.kind === 'rejected' ? outcome.limit : ''}`,
  );
  return Object.fromEntries([...Map.groupBy(names, (name) => name)].map(([name, all]) => [name, all.length]));
};

interface Times {
  readonly firstCallAtMs: number;
  readonly makespanMs: number;
}

const useOf = (lane: NightLane, calls: readonly CallRecord[], times: Times): LaneUse => {
  const ofProvider = calls.filter(({ provider }) => provider === lane.tier.id);
  const own = ofProvider.filter(({ model }) => model === lane.model.id);
  const answered = own.filter(({ outcome }) => outcome.kind === 'succeeded');
  const shares = [
    ...limitShares(lane, { own, ofProvider }, times),
    { name: 'calls at once', share: busyShare(lane, own, times) },
  ];
  const [fullest] = shares.toSorted((left, right) => right.share - left.share);
  return {
    laneId: lane.id,
    succeeded: answered.length,
    tokens: answered.reduce((sum, call) => sum + call.promptTokens + call.completionTokens, 0),
    binding: fullest?.name ?? '-',
    share: fullest?.share ?? 0,
  };
};

interface LaneCalls {
  readonly own: readonly CallRecord[];
  readonly ofProvider: readonly CallRecord[];
}

const limitShares = (lane: NightLane, { own, ofProvider }: LaneCalls, times: Times) => {
  const { firstCallAtMs, makespanMs } = times;
  const span = { fromMs: 0, untilMs: makespanMs, isClosed: false, startsAtMs: firstCallAtMs };
  return limitsOf(lane).map((limit) => {
    const counted = lane.model.limits.includes(limit) ? own : ofProvider;
    const used = counted.reduce(
      (sum, call) =>
        sum + (call.outcome.kind === 'rejected' ? 0 : amountOf(limit.metric, sizeOfCall(lane, call))),
      0,
    );
    return { name: describeLimit(limit), share: used / (limit.amount * timesFull(limit.window, span)) };
  });
};

/** Units are counted at the lane's own cost, also for calls of its neighbours. */
const sizeOfCall = ({ tier, model }: NightLane, call: CallRecord) => {
  const unitCost = (tier.models.find(({ id }) => id === call.model) ?? model).unitCost;
  return {
    promptTokens: call.promptTokens,
    outputTokens: call.completionTokens,
    ...(unitCost === undefined ? {} : { unitCost }),
  };
};

const busyShare = ({ model }: NightLane, own: readonly CallRecord[], { makespanMs }: Times): number =>
  model.concurrency === undefined
    ? 0
    : own.reduce((sum, call) => sum + call.durationMs, 0) / (model.concurrency * makespanMs);

/** The same night as it was when its first call came: faults are that much nearer. */
export const nightFrom = (night: Night, firstCallAtMs: number): Night => {
  const startsAtMs = Math.floor(firstCallAtMs);
  const laterMs = startsAtMs - night.startsAtMs;
  return { ...night, startsAtMs, faults: night.faults.map((rule) => sooner(rule, laterMs)) };
};

const sooner = (rule: FaultRule, byMs: number): FaultRule => ({
  ...rule,
  ...(rule.fromMs === undefined ? {} : { fromMs: Math.max(0, rule.fromMs - byMs) }),
  ...(rule.untilMs === undefined ? {} : { untilMs: Math.max(0, rule.untilMs - byMs) }),
});
