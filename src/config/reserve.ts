/** What of a provider's limits stays untouched for other uses of its key: how it is written, and what it leaves. */
import { z } from 'zod';
import type { Limit, Metric } from '../core/model.ts';
import { percent, positiveInteger, strict } from './fields.ts';

/** A share of every limit, in hundredths of a percent, or so much of every limit that counts a metric. */
export type Reserve =
  | { readonly kind: 'share'; readonly hundredths: number }
  | { readonly kind: 'amounts'; readonly amounts: Amounts };

/** How much of each metric is kept back from every limit that counts it. */
export type Amounts = Readonly<Partial<Record<Metric, number>>>;

const share = percent.transform((hundredths): Reserve => ({ kind: 'share', hundredths }));

const FORM =
  'expected a share such as 20%, a whole number of requests, or amounts such as { requests: 5, tokens: 20000 }';

const requests = z
  .int({ error: FORM })
  .positive({ error: FORM })
  .transform((amount): Reserve => ({ kind: 'amounts', amounts: { requests: amount } }));

const amounts = strict({
  requests: positiveInteger.optional(),
  tokens: positiveInteger.optional(),
  inputTokens: positiveInteger.optional(),
  outputTokens: positiveInteger.optional(),
  units: positiveInteger.optional(),
}).transform((given): Reserve => ({
  kind: 'amounts',
  amounts: Object.fromEntries(Object.entries(given).filter(([, amount]) => amount !== undefined)),
}));

/** `20%`, `50`, or `{ requests: 5, tokens: 20000 }`. */
export const reserve = z.unknown().transform((value, context): Reserve => {
  const result = formOf(value).safeParse(value);
  if (result.success) return result.data;
  for (const { path, message } of result.error.issues.flatMap(placesOf)) {
    context.addIssue({ code: 'custom', path: [...path], message });
  }
  return z.NEVER;
});

/** An unknown key is named by the path of a problem, as everywhere in the file. */
function placesOf(issue: z.core.$ZodIssue) {
  if (issue.code !== 'unrecognized_keys') return [{ path: issue.path, message: issue.message }];
  const messages = issue.message.split('\n');
  return issue.keys.map((key, index) => ({
    path: [...issue.path, key],
    message: messages[index] ?? 'unknown key',
  }));
}

function formOf(value: unknown) {
  if (typeof value === 'string') return share;
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? amounts : requests;
}

const WHOLE = 10_000n;

/**
 * The limit without what is kept back, which stays on record beside it. A share leaves at least 1, so that one call a
 * second can have a share kept back; amounts may leave nothing or less, which {@link leavesNothing} tells.
 */
export function lessReserve({ metric, amount, window }: Limit, kept: Reserve | undefined): Limit {
  const left = kept === undefined ? amount : leftOf(metric, amount, kept);
  return { metric, amount: left, window, ...(left < amount ? { reserved: amount - left } : {}) };
}

/** Whether nothing of the limit would be left. */
export function leavesNothing({ metric, amount }: Limit, kept: Reserve): boolean {
  return leftOf(metric, amount, kept) < 1;
}

function leftOf(metric: Metric, amount: number, kept: Reserve): number {
  if (kept.kind === 'amounts') return amount - (kept.amounts[metric] ?? 0);
  return Math.max(1, Number((BigInt(amount) * (WHOLE - BigInt(kept.hundredths))) / WHOLE));
}
