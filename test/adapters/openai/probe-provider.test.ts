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
    const probe = await probeProvider(server.provider, KEY);
    expect(probe).toMatchObject({ kind: 'answered', models: ['a', 'b'] });
    expect(server.asked).toEqual([`GET /v1/models Bearer ${KEY}`]);
  });

  it('tells how far the clocks are apart, to about a second', async () => {
    const date = new Date(Date.now() + 3_600_000).toUTCString();
    await using server = await serve({ status: 200, headers: { date }, body: '{"data":[]}' });
    const probe = await probeProvider(server.provider, KEY);
    const aheadMs = probe.kind === 'silent' ? null : probe.clockAheadMs;
    expect(Math.abs((aheadMs ?? 0) - 3_600_000)).toBeLessThan(2_000);
  });

  it('takes anything else than a list for an answer without one', async () => {
    await using server = await serve({ status: 200, body: '{"hello":1}' });
    await expect(probeProvider(server.provider, KEY)).resolves.toMatchObject({
      kind: 'answered',
      models: null,
    });
  });

  it('never asks twice and never repeats the key of a refusal', async () => {
    const body = JSON.stringify({ error: { message: `Invalid API key: ${KEY}` } });
    await using server = await serve({ status: 401, body });
    const probe = await probeProvider(server.provider, KEY);
    expect(probe).toMatchObject({ kind: 'refused', status: 401 });
    expect(JSON.stringify(probe)).not.toContain(KEY);
    expect(server.asked).toHaveLength(1);
  });

  it('is silence where nobody listens', async () => {
    const server = await serve({ status: 200, body: '' });
    await server[Symbol.asyncDispose]();
    await expect(probeProvider(server.provider, undefined)).resolves.toMatchObject({ kind: 'silent' });
  });
});
