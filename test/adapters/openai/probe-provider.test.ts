import { createServer } from 'node:http';
import { describe, expect, it } from 'vitest';
import { probeProvider } from '../../../src/adapters/openai/probe-provider.ts';
import type { Provider } from '../../../src/core/model.ts';

const KEY = 'gsk_not-a-real-key-0123456789';

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A provider that answers every call alike, and what it was asked. */
const serve = async (answer: Answer) => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.authorization}`);
    response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
    response.end(answer.body);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    asked,
    provider: providerAt(`http://127.0.0.1:${port}/v1`),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
};

const providerAt = (baseUrl: string): Provider => ({
  id: 'groq',
  baseUrl,
  apiKeyEnv: 'GROQ_API_KEY',
  tier: 'free',
  trainsOnData: null,
  dialect: 'groq',
  concurrency: null,
  limits: [],
  refusesParameters: [],
  lanes: [],
});

describe('a probe', () => {
  it('asks once for the list of models, with the key', async () => {
    await using server = await serve({ status: 200, body: '{"data":[{"id":"a"},{"id":"models/b"}]}' });
    const probe = await probeProvider({ provider: server.provider, key: KEY, path: '/models' });
    expect(probe).toMatchObject({ kind: 'answered', models: { ids: ['a', 'b'], isWhole: true } });
    expect(server.asked).toEqual([`GET /v1/models Bearer ${KEY}`]);
  });

  it('tells how far the clocks are apart, to about a second', async () => {
    const date = new Date(Date.now() + 3_600_000).toUTCString();
    await using server = await serve({ status: 200, headers: { date }, body: '{"data":[]}' });
    const probe = await probeProvider({ provider: server.provider, key: KEY, path: '/models' });
    const aheadMs = probe.kind === 'silent' ? null : probe.clockAheadMs;
    expect(Math.abs((aheadMs ?? 0) - 3_600_000)).toBeLessThan(2_000);
  });

  it('takes anything else than a list for an answer without one', async () => {
    await using server = await serve({ status: 200, body: '{"hello":1}' });
    await expect(
      probeProvider({ provider: server.provider, key: KEY, path: '/models' }),
    ).resolves.toMatchObject({
      kind: 'answered',
      models: null,
    });
  });

  it('never asks twice and never repeats the key of a refusal', async () => {
    const body = JSON.stringify({ error: { message: `Invalid API key: ${KEY}` } });
    await using server = await serve({ status: 401, body });
    const probe = await probeProvider({ provider: server.provider, key: KEY, path: '/models' });
    expect(probe).toMatchObject({ kind: 'refused', status: 401 });
    expect(JSON.stringify(probe)).not.toContain(KEY);
    expect(server.asked).toHaveLength(1);
  });

  it('asks for another path where that is cheaper, one above the base URL as well', async () => {
    await using server = await serve({ status: 200, body: '{"result":[{"id":"7f","name":"@cf/a"}]}' });
    const question = { provider: server.provider, key: KEY, path: '/../models/search' };
    await expect(probeProvider(question)).resolves.toMatchObject({ models: { ids: ['@cf/a'] } });
    expect(server.asked).toEqual([`GET /models/search Bearer ${KEY}`]);
  });

  it('tells how the account stands where the provider does', async () => {
    const data = {
      label: 'sk-or-v1-abc',
      limit_remaining: 3.5,
      usage: 0,
      free_model_daily_requests: { used: 7, limit: 50, remaining: 43 },
    };
    await using server = await serve({ status: 200, body: JSON.stringify({ data }) });
    const probe = await probeProvider({ provider: server.provider, key: KEY, path: '/key' });
    expect(probe).toMatchObject({
      models: null,
      account: { freeRequestsToday: { used: 7, limit: 50 }, creditLeft: 3.5, creditUsed: 0 },
    });
    expect(JSON.stringify(probe)).not.toContain('sk-or');
  });

  it('does not follow a redirect with the key', async () => {
    await using elsewhere = await serve({ status: 200, body: '{"data":[{"id":"a"}]}' });
    const location = `${elsewhere.provider.baseUrl}/models`;
    await using server = await serve({ status: 302, headers: { location }, body: '' });
    const probe = await probeProvider({ provider: server.provider, key: KEY, path: '/models' });
    expect(probe).toMatchObject({ kind: 'refused', status: 302 });
    expect(elsewhere.asked).toEqual([]);
  });

  it('is silence where nobody listens', async () => {
    const server = await serve({ status: 200, body: '' });
    await server[Symbol.asyncDispose]();
    await expect(
      probeProvider({ provider: server.provider, key: undefined, path: '/models' }),
    ).resolves.toMatchObject({ kind: 'silent' });
  });
});
