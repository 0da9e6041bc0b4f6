/** What a process says of itself to the others, and what they disagree about. Pure. */
import type { Limit, Provider, Window } from '../core/model.ts';
import type { Routing } from './ports.ts';
import {
  type Announcement,
  everyLane,
  type LiveProcess,
  type Role,
  type ScopedLimit,
} from './process-registry.ts';

/** What is announced. */
export interface Announced {
  readonly roles: readonly Role[];
  readonly routing: Routing;
  readonly configHash: string;
}

/** The announcement of a process with this configuration; only a worker announces lanes. */
export const announcementOf = ({ roles, routing, configHash }: Announced): Announcement => ({
  roles,
  configHash,
  lanes: roles.includes('worker') ? everyLane(routing) : [],
  limits: routing.providers.flatMap(limitsOf),
});

const limitsOf = ({ id, limits, concurrency, lanes }: Provider): readonly ScopedLimit[] => [
  ...limits.map((limit) => scoped(id, limit)),
  ...(concurrency === null ? [] : [callsAtOnce(id, concurrency)]),
  ...lanes.flatMap((lane) => [
    ...lane.limits.map((limit) => scoped(lane.id, limit)),
    callsAtOnce(lane.id, lane.concurrency),
  ]),
];

const scoped = (scope: string, { metric, amount, window }: Limit): ScopedLimit => ({
  scope,
  metric,
  amount,
  window: windowInWords(window),
});

const callsAtOnce = (scope: string, amount: number): ScopedLimit => ({
  scope,
  metric: 'calls',
  amount,
  window: 'at once',
});

const windowInWords = (window: Window): string => {
  switch (window.kind) {
    case 'rolling':
      return `in any ${window.perMs / 1_000} s`;
    case 'refill':
      return `refilled over ${window.perMs / 1_000} s`;
    case 'fixed':
      return `per ${window.perMs / 1_000} s from ${new Date(window.anchorAtMs).toISOString()}`;
    case 'fixed-month':
      return `per month from ${new Date(window.anchorAtMs).toISOString()} (${window.timeZone})`;
    case 'calendar':
      return `per ${window.unit} of ${window.timeZone}`;
    case 'session':
      return `per session of ${window.perMs / 1_000} s`;
  }
};

/**
 * Limits that live processes have different ideas of, one sentence each. What the process that started last says is in
 * force, so it is named.
 */
export const disagreements = (processes: readonly LiveProcess[]): readonly string[] => {
  const said = new Map<string, { readonly limit: ScopedLimit; readonly by: LiveProcess }[]>();
  for (const by of processes) {
    for (const limit of by.limits) {
      const key = `${limit.scope} ${limit.metric} ${limit.window}`;
      said.set(key, [...(said.get(key) ?? []), { limit, by }]);
    }
  }
  return [...said.values()].flatMap((all) => {
    const amounts = new Set(all.map(({ limit }) => limit.amount));
    const last = all.toSorted((a, b) => a.by.startedAtMs - b.by.startedAtMs).at(-1);
    if (amounts.size < 2 || last === undefined) return [];
    const others = all
      .filter(({ limit }) => limit.amount !== last.limit.amount)
      .map(({ limit, by }) => `${limit.amount} by ${nameOf(by)}`);
    const { scope, metric, window, amount } = last.limit;
    return [
      `Processes disagree about a limit of ${scope}: ${metric} ${window} are ${amount} by ${nameOf(last.by)}, which started last and is in force, but ${others.join(', ')}. Give them all the same configuration.`,
    ];
  });
};

const nameOf = ({ host, pid, roles }: LiveProcess): string =>
  `process ${pid} on ${host} (${roles.join(', ')})`;
