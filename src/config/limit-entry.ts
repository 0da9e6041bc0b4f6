/** Turns a limit as a person writes it, `{ requests: 30, per: 1m }`, into the limits of the core. */
import { z } from 'zod';
import type { Limit, Metric, Window } from '../core/model.ts';
import { anchor, period, positiveInteger, strict, timeZone } from './fields.ts';
import type { Period } from './fields.ts';

/** What a limit may count, in the order in which messages list it. */
const METRICS = [
  'requests',
  'tokens',
  'inputTokens',
  'outputTokens',
  'units',
] as const satisfies readonly Metric[];

const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;

const fields = strict({
  /** Calls per window. */
  requests: positiveInteger.optional(),
  /** Tokens per window, prompt and output together. */
  tokens: positiveInteger.optional(),
  /** Prompt tokens per window. */
  inputTokens: positiveInteger.optional(),
  /** Output tokens per window. */
  outputTokens: positiveInteger.optional(),
  /** Units of the provider's own per window; each model's `unitCost` says what tokens cost in them. */
  units: positiveInteger.optional(),
  /** Length of the window: a duration, or `1month` for calendar and fixed windows. */
  per: period,
  /** How the window refills. */
  window: z
    .enum(['rolling', 'refill', 'fixed', 'calendar', 'session'], {
      error: 'expected `rolling`, `refill`, `fixed`, `calendar` or `session`',
    })
    .default('rolling'),
  /** Zone of a calendar day, week or month, or of a fixed month; UTC unless said. */
  timeZone: timeZone.optional(),
  /** An instant at which a fixed window opens; 1970-01-01T00:00:00Z unless said, required for a fixed month. */
  anchor: anchor.optional(),
});

type LimitFields = z.output<typeof fields>;

interface FieldProblem {
  readonly field: keyof LimitFields;
  readonly message: string;
}

/** One entry of a `limits` list. Several metrics in one entry become several limits with the same window. */
export const limitEntry = fields.transform((entry, context): readonly Limit[] => {
  const window = WINDOW_OF[entry.window](entry);
  const metrics = METRICS.filter((metric) => entry[metric] !== undefined);
  const problems = [...misplaced(entry), ...('problem' in window ? [window.problem] : [])];
  for (const { field, message } of problems) context.addIssue({ code: 'custom', path: [field], message });
  if (metrics.length === 0) {
    context.addIssue({
      code: 'custom',
      message: `limits nothing: say at least one of ${METRICS.join(', ')}`,
    });
  }
  if ('problem' in window) return z.NEVER;
  return metrics.map((metric) => ({ metric, amount: entry[metric] ?? 1, window: window.window }));
});

type WindowResult = { readonly window: Window } | { readonly problem: FieldProblem };

const WINDOW_OF: Readonly<Record<LimitFields['window'], (entry: LimitFields) => WindowResult>> = {
  rolling: ({ per }) => lengthOnly('rolling', per),
  refill: ({ per }) => lengthOnly('refill', per),
  fixed: fixedWindow,
  calendar: calendarWindow,
  session: ({ per }) => lengthOnly('session', per),
};

function lengthOnly(kind: 'rolling' | 'refill' | 'session', per: Period): WindowResult {
  if (per.kind === 'length') return { window: { kind, perMs: per.ms } };
  const message = `a month has no fixed length: say \`window: calendar\` or \`window: fixed\`, or \`per: 30d\``;
  return { problem: { field: 'per', message } };
}

function fixedWindow({ per, anchor: anchorAtMs, timeZone: zone = 'UTC' }: LimitFields): WindowResult {
  if (per.kind === 'length') return { window: { kind: 'fixed', perMs: per.ms, anchorAtMs: anchorAtMs ?? 0 } };
  if (anchorAtMs !== undefined) return { window: { kind: 'fixed-month', anchorAtMs, timeZone: zone } };
  const message =
    'missing; a fixed month is counted from it (for months from the 1st say `window: calendar`)';
  return { problem: { field: 'anchor', message } };
}

/** A part of a day needs no zone's calendar: it is a fixed window aligned to the clock of UTC. */
function calendarWindow({ per, timeZone: zone = 'UTC' }: LimitFields): WindowResult {
  if (per.kind === 'month') return { window: { kind: 'calendar', unit: 'month', timeZone: zone } };
  if (per.ms === DAY_MS) return { window: { kind: 'calendar', unit: 'day', timeZone: zone } };
  if (per.ms === WEEK_MS) return { window: { kind: 'calendar', unit: 'week', timeZone: zone } };
  if (DAY_MS % per.ms === 0) return { window: { kind: 'fixed', perMs: per.ms, anchorAtMs: 0 } };
  const message =
    'a calendar window is a day, a week, a month or an even part of a day; say `window: fixed` for others';
  return { problem: { field: 'per', message } };
}

function misplaced(entry: LimitFields): readonly FieldProblem[] {
  const problems: FieldProblem[] = [];
  if (entry.timeZone !== undefined && !hasTimeZone(entry)) {
    problems.push({
      field: 'timeZone',
      message: 'only a calendar day, week or month and a fixed month have a zone',
    });
  }
  if (entry.anchor !== undefined && entry.window !== 'fixed') {
    problems.push({ field: 'anchor', message: 'only a fixed window has an anchor: say `window: fixed`' });
  }
  return problems;
}

function hasTimeZone({ window, per }: LimitFields): boolean {
  if (window === 'fixed') return per.kind === 'month';
  return window === 'calendar' && (per.kind === 'month' || per.ms === DAY_MS || per.ms === WEEK_MS);
}
