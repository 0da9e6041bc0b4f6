/** Calls as the provider saw them, and how many were under way at once. */
import type { BegunCall } from '../../src/app/ledger.ts';
import type { ProvidersCall } from './quota-provider.ts';

/** A call that has begun; how it ended is filled in later. */
export interface LoggedCall {
  readonly scopes: readonly string[];
  readonly begunAtMs: number;
  readonly arrival01: number;
  readonly estimate: ProvidersCall['estimate'];
  readonly unitCost: ProvidersCall['unitCost'];
  endedAtMs: number | null;
  actual: ProvidersCall['actual'];
  reachedProvider: boolean;
}

/** How a call ended. */
export type CallEnd = Pick<LoggedCall, 'endedAtMs' | 'actual' | 'reachedProvider'>;

/** The log of one night. */
export interface CallLog {
  /** Highest number of calls under way at once so far. */
  mostUnderWay(scope: string): number;
  /** The calls that reached the provider, in the order they began. */
  callsOn(scope: string): readonly ProvidersCall[];
  begin(call: BegunCall): LoggedCall;
  end(call: LoggedCall, end: CallEnd): void;
}

/** An empty log. */
export const openCallLog = (): CallLog => {
  const calls: LoggedCall[] = [];
  const underWay = new Map<string, number>();
  const mostUnderWay = new Map<string, number>();
  const count = (call: LoggedCall, change: 1 | -1): void => {
    for (const scope of call.scopes) {
      const now = (underWay.get(scope) ?? 0) + change;
      underWay.set(scope, now);
      mostUnderWay.set(scope, Math.max(now, mostUnderWay.get(scope) ?? 0));
    }
  };
  return {
    mostUnderWay: (scope) => mostUnderWay.get(scope) ?? 0,
    callsOn: (scope) =>
      calls
        .filter((call) => call.reachedProvider && call.scopes.includes(scope))
        .toSorted((a, b) => a.begunAtMs - b.begunAtMs),
    begin(begun) {
      const call = logged(begun);
      calls.push(call);
      count(call, 1);
      return call;
    },
    end(call, end) {
      Object.assign(call, end);
      count(call, -1);
    },
  };
};

/** A call that never ends is taken to have cost all that was reserved. */
const logged = ({ laneId, begunAtMs, promptTokens, outputTokens }: BegunCall): LoggedCall => ({
  scopes: [laneId, laneId.slice(0, laneId.indexOf('/'))],
  begunAtMs,
  arrival01: Math.random(),
  estimate: { promptTokens, outputTokens },
  unitCost: { input: 0, output: 0 },
  endedAtMs: null,
  actual: { promptTokens, outputTokens },
  reachedProvider: true,
});
