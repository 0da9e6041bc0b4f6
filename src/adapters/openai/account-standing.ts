/** What a provider tells of the account behind a key, as OpenRouter does at `/key`. Amounts of money are US dollars. */
import { memberAt, numberAt } from '../../core/json/loose-json.ts';

/** How an account stands; members are `null` where nothing is told. */
export interface AccountStanding {
  /** Calls of free models today. */
  readonly freeRequestsToday: { readonly used: number; readonly limit: number } | null;
  /** What the key may still spend. */
  readonly creditLeft: number | null;
  /** What it has spent so far. */
  readonly creditUsed: number | null;
}

/** The standing in a parsed body; `null` where it tells none. */
export const accountIn = (body: unknown): AccountStanding | null => {
  const data = memberAt(body, 'data');
  const standing = {
    freeRequestsToday: freeRequestsIn(memberAt(data, 'free_model_daily_requests')),
    creditLeft: numberAt(data, 'limit_remaining') ?? null,
    creditUsed: numberAt(data, 'usage') ?? null,
  };
  return Object.values(standing).every((member) => member === null) ? null : standing;
};

const freeRequestsIn = (value: unknown): AccountStanding['freeRequestsToday'] => {
  const limit = numberAt(value, 'limit');
  const remaining = numberAt(value, 'remaining');
  const used =
    numberAt(value, 'used') ??
    (limit === undefined || remaining === undefined ? undefined : limit - remaining);
  return limit === undefined || used === undefined ? null : { used, limit };
};
