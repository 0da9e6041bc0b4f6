/** How much of a limit a lane can use that always has work: quota that is never oversold must not be wasted either. */
import { describe, expect, test } from 'vitest';
import type { Limit, Window } from '../../../src/core/model.ts';
import { type Quota, begin, emptyQuota, reserve, settle } from '../../../src/core/quota/quota.ts';
import { windowEndMs } from '../../../src/core/quota/window.ts';

const WINDOWS = 20;
const PER_MS = 10_000;
/** From a grant to the start of its call. */
const DELAY_MS = 20;
/** From the start of a call to its end. */
const CALL_MS = 50;
const STARTS_AT_MS = Date.parse('2026-03-01T00:00:00Z');

const ANCHOR = { anchorAtMs: STARTS_AT_MS };
const NEW_YORK = { timeZone: 'America/New_York' };

const KINDS: readonly Window[] = [
  { kind: 'rolling', perMs: PER_MS },
  { kind: 'refill', perMs: PER_MS },
  { kind: 'fixed', perMs: PER_MS, ...ANCHOR },
  { kind: 'fixed-month', ...ANCHOR, ...NEW_YORK },
  { kind: 'calendar', unit: 'day', ...NEW_YORK },
  { kind: 'calendar', unit: 'week', ...NEW_YORK },
  { kind: 'calendar', unit: 'month', ...NEW_YORK },
  { kind: 'session', perMs: PER_MS },
];

const LIMITS: readonly Limit[] = KINDS.flatMap((window) => [
  { metric: 'requests', amount: 30, window },
  { metric: 'tokens', amount: 3_000, window },
]);

/** Something that happens to a call. */
interface Step {
  readonly atMs: number;
  readonly kind: 'begin' | 'end';
  readonly grant: number;
}

const NEED = { promptTokens: 60, outputTokens: 40 };

describe('a lane that always has work', () => {
  test.each(LIMITS)('uses at least 97 % of $amount $metric per $window.kind window', (limit) => {
    const endsAtMs = afterWindows(limit.window);
    const used = saturate(limit, endsAtMs) * (limit.metric === 'requests' ? 1 : 100);
    expect(used / (limit.amount * allowedWindows(limit.window))).toBeGreaterThanOrEqual(0.97);
  });
});

/** How many windows' worth a provider grants in 20 windows: a bucket starts full and refills meanwhile. */
const allowedWindows = ({ kind }: Window): number => (kind === 'refill' ? WINDOWS + 1 : WINDOWS);

const afterWindows = (window: Window): number => {
  if ('perMs' in window) return STARTS_AT_MS + WINDOWS * PER_MS;
  let endMs = STARTS_AT_MS - 1;
  for (let count = 0; count <= WINDOWS; count += 1) endMs = windowEndMs(window, endMs);
  return endMs;
};

/** Calls begun before the end; the next instant at which anything can happen is the next that is looked at. */
const saturate = (limit: Limit, endsAtMs: number): number => {
  let quota: Quota = emptyQuota([{ id: 'lane', limits: [limit], concurrency: null }]);
  let steps: readonly Step[] = [];
  let begun = 0;
  for (let nowMs = STARTS_AT_MS; nowMs < endsAtMs;) {
    const [due, later] = [
      steps.filter((step) => step.atMs <= nowMs),
      steps.filter((step) => step.atMs > nowMs),
    ];
    for (const step of due) quota = take(quota, step, nowMs);
    begun += due.filter((step) => step.kind === 'begin').length;
    const granted = reserveAll(quota, nowMs);
    quota = granted.quota;
    steps = [...later, ...granted.steps];
    nowMs = Math.min(granted.roomAtMs ?? endsAtMs, ...steps.map((step) => step.atMs));
  }
  return begun;
};

const take = (quota: Quota, { kind, grant }: Step, nowMs: number): Quota =>
  kind === 'begin'
    ? (begin(quota, grant, nowMs) ?? settle(quota, grant, { kind: 'release' }, nowMs))
    : settle(quota, grant, { kind: 'estimate' }, nowMs);

const reserveAll = (
  quota: Quota,
  nowMs: number,
): { readonly quota: Quota; readonly steps: readonly Step[]; readonly roomAtMs: number | null } => {
  const steps: Step[] = [];
  let current = quota;
  for (;;) {
    const answer = reserve(current, ['lane'], NEED, nowMs);
    if (answer.kind === 'refused') return { quota: current, steps, roomAtMs: answer.roomAtMs };
    current = answer.quota;
    const beginsAtMs = nowMs + DELAY_MS;
    steps.push({ atMs: beginsAtMs, kind: 'begin', grant: answer.grant });
    steps.push({ atMs: beginsAtMs + CALL_MS, kind: 'end', grant: answer.grant });
  }
};
