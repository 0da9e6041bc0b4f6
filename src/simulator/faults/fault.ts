/** The ways a simulated tier can be made to misbehave, and the book of rules that says when. */
import type { Random01 } from '../clock.ts';

/**
 * Faults that strike before the quota: such a call counts against no limit.
 * `http-502-html` and `html-200` come from a gateway in front; `dead` closes the connection like a stopped server.
 */
export const FRONT_FAULTS = [
  'unauthorized',
  'gemini-bad-key',
  'forbidden',
  'payment-required',
  'insufficient-quota',
  'quota-day',
  'quota-minute',
  'too-large',
  'context-length',
  'bad-parameter',
  'gone',
  'gone-410',
  'http-502-html',
  'html-200',
  'dead',
] as const;

/** Faults of the model at work: the call was admitted and counts (see `countsFailed` of the tier). */
export const WORK_FAULTS = [
  'http-500',
  'http-503',
  'empty-200',
  'empty-answer',
  'error-in-200',
  'not-json-200',
  'truncated',
  'refused',
  'hang',
  'slow',
  'reset',
] as const;

export type FrontFault = (typeof FRONT_FAULTS)[number];
export type WorkFault = (typeof WORK_FAULTS)[number];
export type FaultKind = FrontFault | WorkFault;

/** When to misbehave. All conditions given must hold; the first rule that holds strikes. */
export interface FaultRule {
  /** A tier's id, or `*` for every tier. */
  readonly provider: string;
  /** Every model unless said. */
  readonly model?: string;
  readonly kind: FaultKind;
  /** From this long after the server's start (inclusive). */
  readonly fromMs?: number;
  /** Until this long after the server's start (exclusive). */
  readonly untilMs?: number;
  /** Leaves the first so many calls of its provider and model alone. */
  readonly afterCalls?: number;
  /** Strikes at most so often. */
  readonly count?: number;
  /** Strikes a call with this probability, 0 to 1. */
  readonly probability?: number;
  /** Strikes every n-th call after `afterCalls`. */
  readonly everyNth?: number;
  /** `bad-parameter`: the body member that is refused, where a call has it. */
  readonly parameter?: string;
  /** `slow`: added to the latency. Default 5,000. */
  readonly latencyMs?: number;
  /** `quota-minute`, `quota-day`: the wait that is stated. Default 2,000, and until midnight UTC. */
  readonly waitMs?: number;
}

/** A rule that strikes before the quota. */
export type FrontFaultRule = FaultRule & { readonly kind: FrontFault };
/** A rule that strikes the model at work. */
export type WorkFaultRule = FaultRule & { readonly kind: WorkFault };

/** Whether a rule strikes before the quota. */
export function isFrontFault(rule: FaultRule): rule is FrontFaultRule {
  return FRONT_FAULTS.some((kind) => kind === rule.kind);
}

/** Whether a rule strikes the model at work. */
export function isWorkFault(rule: FaultRule): rule is WorkFaultRule {
  return WORK_FAULTS.some((kind) => kind === rule.kind);
}

/** What a rule may ask about a call. */
export interface FaultTarget {
  readonly provider: string;
  /** Null when the body could not be read. */
  readonly model: string | null;
  hasParameter(name: string): boolean;
}

/** The rules in force. */
export interface FaultBook {
  rules(): readonly FaultRule[];
  /** Puts other rules in force; their calls are counted from now. */
  replace(rules: readonly FaultRule[]): void;
  add(rules: readonly FaultRule[]): void;
  /** The rule that strikes this call, or null. Counts the call for every rule that concerns it. */
  strike(target: FaultTarget, sinceStartMs: number): FaultRule | null;
  /** Whether a whole provider is dead at this moment, for calls that are no completions. Counts nothing. */
  isDead(provider: string, sinceStartMs: number): boolean;
}

interface Entry {
  readonly rule: FaultRule;
  seen: number;
  struck: number;
}

/** A book with its own counts of calls per rule. */
export function faultBook(initial: readonly FaultRule[], random01: Random01): FaultBook {
  let entries = initial.map(entryOf);
  return {
    rules: () => entries.map((entry) => entry.rule),
    replace(rules) {
      entries = rules.map(entryOf);
    },
    add(rules) {
      entries = [...entries, ...rules.map(entryOf)];
    },
    strike(target, sinceStartMs) {
      const concerned = entries.filter((entry) => concerns(entry.rule, target));
      for (const entry of concerned) entry.seen += 1;
      const hit = concerned.find((entry) => holds(entry, sinceStartMs) && drawn(entry.rule, random01));
      if (hit === undefined) return null;
      hit.struck += 1;
      return hit.rule;
    },
    isDead: (provider, sinceStartMs) =>
      entries.some(({ rule, seen, struck }) => {
        const whole = rule.kind === 'dead' && rule.model === undefined && concernsProvider(rule, provider);
        return whole && holds({ rule, seen: seen + 1, struck }, sinceStartMs);
      }),
  };
}

function entryOf(rule: FaultRule): Entry {
  return { rule, seen: 0, struck: 0 };
}

function concernsProvider(rule: FaultRule, provider: string): boolean {
  return rule.provider === '*' || rule.provider === provider;
}

function concerns(rule: FaultRule, target: FaultTarget): boolean {
  if (!concernsProvider(rule, target.provider)) return false;
  if (rule.model !== undefined && rule.model !== target.model) return false;
  return rule.parameter === undefined || target.hasParameter(rule.parameter);
}

function holds({ rule, seen, struck }: Readonly<Entry>, sinceStartMs: number): boolean {
  const place = seen - (rule.afterCalls ?? 0);
  return (
    sinceStartMs >= (rule.fromMs ?? 0) &&
    sinceStartMs < (rule.untilMs ?? Number.POSITIVE_INFINITY) &&
    place >= 1 &&
    place % (rule.everyNth ?? 1) === 0 &&
    struck < (rule.count ?? Number.POSITIVE_INFINITY)
  );
}

function drawn(rule: FaultRule, random01: Random01): boolean {
  return rule.probability === undefined || random01() < rule.probability;
}
