import { describe, expect, it } from 'vitest';
import { planCheck } from '../../../src/cli/doctor/key-check.ts';
import { spendingOf, spendingText } from '../../../src/cli/doctor/spending.ts';
import type { Provider } from '../../../src/core/model.ts';
import { CATALOG } from '../../../src/providers/catalog.ts';
import { resolve } from '../../config/resolve.ts';

const PROVIDER: Provider = {
  id: 'groq',
  baseUrl: 'https://groq.test/v1',
  apiKeyEnv: 'GROQ_API_KEY',
  tier: 'free',
  trainsOnData: null,
  dialect: 'groq',
  concurrency: null,
  limits: [],
  refusesParameters: [],
  lanes: [],
};
const FREE = { path: '/models', provesKey: true, mayCount: false };
const COUNTED = { ...FREE, mayCount: true };
const text = (checks: readonly (readonly [string, typeof FREE | null])[]) =>
  spendingText(spendingOf(new Map(checks)));

describe('what a doctor spends', () => {
  it('is said whatever it was', () => {
    expect(text([])).toBe('Spent: nothing, for nobody was asked.');
    expect(text([['groq', FREE]])).toBe(
      'Spent: 1 call, at most one for each provider; none counts against a quota as far as is known.',
    );
    expect(
      text([
        ['groq', FREE],
        ['cohere', null],
      ]),
    ).toBe(
      'Spent: 1 call, at most one for each provider; none counts against a quota as far as is known. Not asked, because a call may count: cohere (--all asks them, too).',
    );
    expect(
      text([
        ['groq', FREE],
        ['cohere', COUNTED],
      ]),
    ).toBe(
      'Spent: 2 calls, at most one for each provider; that of cohere may count against the quota, the others do not as far as is known.',
    );
  });
});

describe('the check of a provider', () => {
  it('is the one the catalog names', () => {
    for (const provider of resolve(null).providers) {
      const known = CATALOG.find(({ id }) => id === provider.id)?.keyCheck;
      const expected = known === null ? null : { ...(known ?? FREE), mayCount: false };
      expect(planCheck(provider, { all: false })).toEqual(expected);
    }
  });

  it('is none where the catalog knows none, unless all are to be asked; then it may count', () => {
    expect(planCheck(PROVIDER, { all: false }, null)).toBeNull();
    expect(planCheck(PROVIDER, { all: true }, null)).toEqual(COUNTED);
    expect(planCheck(PROVIDER, { all: true }, { path: '/key', provesKey: true })).toMatchObject({
      mayCount: false,
    });
  });

  it("is the list of models for a provider of one's own, and for a local server, which has no quota", () => {
    expect(planCheck({ ...PROVIDER, id: 'home' }, { all: false })).toEqual(FREE);
    expect(planCheck({ ...PROVIDER, tier: 'local' }, { all: false }, null)).toEqual(FREE);
  });
});
