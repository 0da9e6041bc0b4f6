import { describe, expect, it } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import { resolveConfig } from '../../src/config/resolve-config.ts';

const configOf = (environment: Readonly<Record<string, string>>, text: string | null = null): Config =>
  resolveConfig({
    yaml: text === null ? null : { name: 'nightshift.yaml', text },
    environment,
    dataDirectory: '/data',
    allowNoLanes: true,
  });

const idsOf = ({ providers }: Config): readonly string[] => providers.map(({ id }) => id).toSorted();

const lanesOf = ({ pools }: Config, name: string): readonly string[] =>
  pools.find((pool) => pool.name === name)?.laneIds ?? [];

describe('a configuration with providers added from the catalog', () => {
  it('has their lanes in its ready-made pools, without their keys', () => {
    const config = configOf({ GROQ_API_KEY: 'gsk_a' }).adding(new Set(['mistral']));
    expect(idsOf(config)).toEqual(['groq', 'mistral']);
    expect(lanesOf(config, 'small').some((laneId) => laneId.startsWith('mistral/'))).toBe(true);
    expect(config.keys.keyOf('mistral')).toBeUndefined();
  });

  it('has those that a file does not name, and the anonymous ones', () => {
    const config = configOf({ GROQ_API_KEY: 'gsk_a' }, 'providers:\n  groq: {}\n');
    expect(idsOf(config.adding(new Set(['mistral', 'ovh'])))).toEqual(['groq', 'mistral', 'ovh']);
    expect(idsOf(config)).toEqual(['groq']);
  });

  it('leaves off what the file switches off, and pools of the user as they are', () => {
    const text =
      'providers:\n  groq: {}\n  mistral: { enabled: false }\npools:\n  mine: [groq/gpt-oss-20b]\n';
    const config = configOf({ GROQ_API_KEY: 'gsk_a' }, text).adding(new Set(['mistral', 'cohere']));
    expect(idsOf(config)).toEqual(['cohere', 'groq']);
    expect(lanesOf(config, 'mine')).toEqual(['groq/gpt-oss-20b']);
  });
});
