import { describe, expect, it } from 'vitest';
import { candidatesOf, freeTiersBeside, laneIdsIn } from '../../../src/cli/plan/candidates.ts';
import { resolveConfig } from '../../../src/config/resolve-config.ts';
import { CATALOG } from '../../../src/providers/catalog.ts';
import { routingOf } from '../../../src/routing.ts';

const configOf = (text: string | null, environment = { GROQ_API_KEY: 'gsk_a', DEEPSEEK_API_KEY: 'sk-a' }) =>
  resolveConfig({
    yaml: text === null ? null : { name: 'nightshift.yaml', text },
    environment,
    dataDirectory: '/data',
    allowNoLanes: true,
  });

const idsBeside = (text: string | null): readonly string[] => {
  const config = configOf(text);
  return freeTiersBeside(config, routingOf(config)).map(({ id }) => id);
};

describe('the free tiers that could be added', () => {
  it('are those with models that work for anybody and are not on', () => {
    const ids = idsBeside(null);
    expect(ids).toContain('gemini');
    expect(ids).not.toContain('groq');
    const all = CATALOG.filter(({ id }) => ids.includes(id));
    expect(
      all.every(({ tier, status, models }) => tier === 'free' && status === 'active' && models.length > 0),
    ).toBe(true);
  });

  it('leave out what the user switched off', () => {
    expect(idsBeside('providers:\n  groq: {}\n  gemini: { enabled: false }\n')).not.toContain('gemini');
  });
});

const candidate = (text: string | null, id: string, policy: Parameters<typeof candidatesOf>[2] = null) => {
  const config = configOf(text);
  const tiers = freeTiersBeside(config, routingOf(config)).filter((tier) => tier.id === id);
  return candidatesOf(tiers, config, policy)[0];
};
const isTheirs = (laneId: string): boolean => laneId.startsWith('gemini/');

describe('what a free tier would bring', () => {
  it('is in the ready-made pools', () => {
    expect(candidate(null, 'gemini')?.laneIdsOf('small').some(isTheirs)).toBe(true);
  });

  it('is in a pool of the user, who would list it there, too', () => {
    const text = 'providers:\n  groq: {}\npools:\n  mine: [groq/gpt-oss-20b, groq/gpt-oss-120b]\n';
    const lanes = candidate(text, 'gemini')?.laneIdsOf('mine') ?? [];
    expect(lanes.slice(0, 2)).toEqual(['groq/gpt-oss-20b', 'groq/gpt-oss-120b']);
    expect(lanes.some(isTheirs)).toBe(true);
  });

  it('is nothing in a ready-made pool that it would not be in, nor for a model that several lanes have', () => {
    expect(candidate(null, 'gemini')?.laneIdsOf('private').some(isTheirs)).toBe(false);
    const providers = ['one', 'two'].map(
      (id) =>
        `  ${id}: { baseUrl: https://${id}.example/v1, apiKeyEnv: GROQ_API_KEY, tier: free, models: { big: { contextTokens: 8192, maxOutputTokens: 1024 } } }\n`,
    );
    const lanes = candidate(`providers:\n${providers.join('')}`, 'gemini')?.laneIdsOf('big');
    expect(lanes).toEqual(['one/big', 'two/big']);
  });

  it('is nothing for a lane that was named, or under a policy that it does not meet', () => {
    const text = 'providers:\n  groq: {}\npools:\n  mine: [groq/gpt-oss-20b]\n';
    expect(candidate(text, 'gemini')?.laneIdsOf('groq/gpt-oss-20b').some(isTheirs)).toBe(false);
    expect(candidate(text, 'gemini')?.laneIdsOf('mine').some(isTheirs)).toBe(true);
    const policy = { forbidsTraining: true, regions: [], only: [], except: [] };
    expect(candidate(null, 'gemini', policy)?.laneIdsOf('small').some(isTheirs)).toBe(false);
  });
});

it('a name stands for no lane that costs money', () => {
  const text =
    'providers:\n  groq: {}\n  costly: { baseUrl: https://example.com/v1, apiKeyEnv: GROQ_API_KEY, tier: paid, models: { big: { contextTokens: 8192, maxOutputTokens: 1024 } } }\npools:\n  mine: [costly/big, groq/gpt-oss-20b]\n';
  expect(laneIdsIn(routingOf(configOf(text)), 'mine')).toEqual(['groq/gpt-oss-20b']);
});
