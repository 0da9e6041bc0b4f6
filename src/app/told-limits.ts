/** What an answer says of the limits of its lane and provider, for the record to hear. Pure. */
import type { Answer } from '../core/failures/classify-answer.ts';
import type { Failure, QuotaPeriod } from '../core/failures/failure.ts';
import type { Dialect } from '../core/model.ts';
import { readStandings } from '../core/quota/read-standings.ts';
import type { LimitRefusal, ToldLimits } from './ledger.ts';
import type { ProviderReply } from './ports.ts';

/** What the reply tells; `null` where it tells nothing. */
export const toldLimits = (
  dialect: Dialect,
  reply: ProviderReply,
  verdict: Answer | Failure,
): ToldLimits | null => {
  const standings = reply.kind === 'http' ? readStandings(dialect, reply.headers) : [];
  const refusal = refusalOf(verdict);
  return standings.length === 0 && refusal === null ? null : { standings, refusal };
};

const LONG_PERIODS: ReadonlySet<QuotaPeriod> = new Set(['day', 'week', 'month']);

const NOTHING_NAMED = { metric: null, periodMs: null, amount: null, used: null } as const;

const refusalOf = (verdict: Answer | Failure): LimitRefusal | null => {
  if (verdict.kind !== 'minute-limit' && verdict.kind !== 'day-limit') return null;
  const { kind, scope, named = NOTHING_NAMED } = verdict;
  const isLong = kind === 'day-limit' && LONG_PERIODS.has(verdict.period);
  const isConcurrency = kind === 'minute-limit' && verdict.isConcurrency === true;
  return { ...named, scope, isLong, isConcurrency };
};
