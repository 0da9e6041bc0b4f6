import { describe, expect, it } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import { resolveConfig } from '../../src/config/resolve-config.ts';
import { homeWith } from './resolve.ts';

/** A configuration of these variables alone, which may have no lane. */
const withKeys = (environment: Readonly<Record<string, string>>, text: string | null = null) =>
  resolveConfig({
    yaml: text === null ? null : { name: 'nightshift.yaml', text },
    environment,
    dataDirectory: '/data',
    allowNoLanes: true,
  });

const idsOf = ({ providers }: Config): readonly string[] => providers.map(({ id }) => id);

describe('a configuration that assumes providers whose keys are elsewhere', () => {
  it('has their lanes and pools as a process with the keys has them', () => {
    const here = withKeys({ GROQ_API_KEY: 'a' });
    const there = withKeys({ GROQ_API_KEY: 'a', MISTRAL_API_KEY: 'b' });
    const assuming = here.assuming(new Set(['mistral']));
    expect(assuming.providers).toEqual(there.providers);
    expect(assuming.pools).toEqual(there.pools);
    expect(assuming.hash).toBe(there.hash);
  });

  it('has no key for them', () => {
    const assuming = withKeys({ GROQ_API_KEY: 'a' }).assuming(new Set(['mistral']));
    expect(assuming.keys.keyOf('mistral')).toBeUndefined();
    expect(assuming.keys.keyOf('groq')).toBe('a');
    expect(assuming.keys.fingerprintOf('mistral', 'salt')).toBeUndefined();
  });

  it('does without a variable of their address', () => {
    expect(idsOf(withKeys({}).assuming(new Set(['cloudflare'])))).toEqual(['cloudflare']);
  });

  it('leaves off what the file switches off, and what nobody knows', () => {
    const config = withKeys({ GROQ_API_KEY: 'a' }, 'providers:\n  groq: {}\n  mistral: { enabled: false }\n');
    expect(idsOf(config.assuming(new Set(['mistral', 'nobody'])))).toEqual(['groq']);
  });

  it('assumes nothing of before when it is asked again', () => {
    const config = withKeys({ GROQ_API_KEY: 'a' });
    const assuming = config.assuming(new Set(['mistral'])).assuming(new Set(['cohere']));
    expect(idsOf(assuming).toSorted()).toEqual(['cohere', 'groq']);
    expect(idsOf(config)).toEqual(['groq']);
  });
});

describe('the hash of a configuration', () => {
  it('is equal for equal providers, pools and aliases, whatever the keys and the directory', () => {
    const { hash } = withKeys({ GROQ_API_KEY: 'a' });
    expect(withKeys({ GROQ_API_KEY: 'b', NIGHTSHIFT_URL: 'http://here' }).hash).toBe(hash);
    expect(hash).toMatch(/^[0-9a-f]{12}$/u);
  });

  it('is equal where the same provider has its key in another of its variables', () => {
    const text = 'providers:\n  zai: {}';
    expect(withKeys({ ZHIPU_API_KEY: 'a' }, text).hash).toBe(withKeys({ ZAI_API_KEY: 'a' }, text).hash);
  });

  it('differs with a limit, a lane or an alias', () => {
    const hashes = [
      homeWith(''),
      homeWith('        limits: [{ requests: 10, per: 1m }]'),
      homeWith('        limits: [{ requests: 11, per: 1m }]'),
      `${homeWith('')}aliases: { mine: home/m }\n`,
    ].map((text) => withKeys({}, text).hash);
    expect(new Set(hashes).size).toBe(hashes.length);
  });
});

describe('what else the environment says', () => {
  it('is which service commands speak to, and whether the board shows text', () => {
    const config = withKeys({ NIGHTSHIFT_URL: ' http://nights.lan:7316 ', NIGHTSHIFT_BOARD_TEXT: '1' });
    expect(config).toMatchObject({ serviceUrl: 'http://nights.lan:7316', boardShowsText: true });
  });

  it('is nothing unless it is set to something', () => {
    const config = withKeys({ NIGHTSHIFT_URL: ' ', NIGHTSHIFT_BOARD_TEXT: '0', NIGHTSHIFT_API_TOKEN: '' });
    expect(config).toMatchObject({ serviceUrl: null, boardShowsText: false, home: 'embedded' });
    expect(config.keys.apiToken()).toBeUndefined();
    expect(config.keys.servers()).toBeNull();
  });
});
