import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { doctor, type DoctorFlags } from '../../../src/cli/commands/doctor.ts';

const KEY = 'sk-not-a-real-key-0123456789';

/** Answers by the first part of the path, and remembers who was asked what. */
const serve = async (
  answers: Readonly<Record<string, { readonly status: number; readonly body: unknown }>>,
) => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const [, name = '', ...rest] = (request.url ?? '').split('/');
    asked.push(`${request.method} ${name} /${rest.join('/')}`);
    const { status, body } = answers[name] ?? { status: 404, body: {} };
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  return {
    asked,
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
};

const providerAt = (baseUrl: string, variable: string) => ({
  baseUrl,
  apiKeyEnv: variable,
  tier: 'free',
  trainsOnData: false,
  models: { 'vendor/a': { contextTokens: 8_192, maxOutputTokens: 1_024 } },
});

describe('doctor', () => {
  let directory = '';
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'nightshift-doctor-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  /** On a record that cannot open, since that is not what is looked at here. */
  const examine = async (providers: Readonly<Record<string, unknown>>, flags: DoctorFlags = {}) => {
    const config = join(directory, 'nightshift.yaml');
    const noDirectory = join(directory, 'a-file');
    await writeFile(config, JSON.stringify({ providers }));
    await writeFile(noDirectory, '');
    let said = '';
    const screen = { write: (text: string) => (said += text) };
    const context = {
      environment: { A_KEY: KEY, B_KEY: KEY },
      workingDirectory: directory,
      homeDirectory: directory,
      stdout: screen,
      stderr: screen,
      arguments: ['doctor'],
    };
    const code = await doctor(context, { ...flags, config, data: noDirectory });
    return { said, code };
  };

  it('makes one call to each provider, whatever it answers, and says that it spent them', async () => {
    await using server = await serve({
      good: { status: 200, body: { data: [{ id: 'vendor/a' }] } },
      bad: { status: 401, body: { error: { message: `no such key: ${KEY}` } } },
    });
    const { said, code } = await examine({
      good: providerAt(`${server.url}/good`, 'A_KEY'),
      bad: providerAt(`${server.url}/bad`, 'B_KEY'),
    });
    expect(server.asked.toSorted()).toEqual(['GET bad /models', 'GET good /models']);
    expect(said).toContain('✓ good accepts the key');
    expect(said).toContain('✗ bad refuses the key (401');
    expect(said).toContain('→ Set B_KEY to a valid key');
    expect(said).toContain('✓ clock: agrees with 2 providers to 2 s');
    expect(said).toContain('Spent: 2 calls, at most one for each provider; none counts against a quota');
    expect(said).not.toContain(KEY);
    expect(code).toBe(1);
  });

  it('has it all as JSON, too', async () => {
    await using server = await serve({ good: { status: 200, body: { data: [{ id: 'vendor/b' }] } } });
    const { said } = await examine({ good: providerAt(`${server.url}/good`, 'A_KEY') }, { json: true });
    expect(JSON.parse(said)).toMatchObject({
      isWell: false,
      clock: { isGood: true, providers: 1 },
      providers: [{ providerId: 'good', isUsable: false, wayOut: expect.stringContaining('vendor/b') }],
      spending: { calls: 1, mayCount: [], notAsked: [] },
      lowered: [],
    });
  });
});
