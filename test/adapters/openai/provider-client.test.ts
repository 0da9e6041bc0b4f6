import { createServer, type RequestListener } from 'node:http';
import { describe, expect, it } from 'vitest';
import { openProviderClient } from '../../../src/adapters/openai/provider-client.ts';
import { aLane, aProvider } from '../../app/fakes.ts';

const KEY = 'hunter2-night-0123456789';
const LANE = aLane('alpha/small');
const BODY = { messages: [{ role: 'user', content: 'Hi.' }] };

/** One call to a server that answers like this, and how often it was asked. */
const callTo = async (listener: RequestListener, key = KEY) => {
  let asked = 0;
  const server = createServer((request, response) => {
    asked += 1;
    listener(request, response);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const provider = { ...aProvider([LANE]), baseUrl: `http://127.0.0.1:${port}/v1` };
  const reply = await openProviderClient([provider], () => key).chat(
    LANE,
    BODY,
    new AbortController().signal,
  );
  server.closeAllConnections();
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return { reply, asked };
};

describe('a call to a provider', () => {
  it.each([429, 500, 503])('is made once, whatever comes of it: %i', async (status) => {
    const { reply, asked } = await callTo(
      (_, response) => void response.writeHead(status).end('{"error":{}}'),
    );
    expect(asked).toBe(1);
    expect(reply).toMatchObject({ kind: 'http', status });
  });

  it('does not follow a redirect, which would be another call with the key', async () => {
    const { reply, asked } = await callTo(
      (request, response) => void response.writeHead(307, { location: request.url ?? '/' }).end(),
    );
    expect(asked).toBe(1);
    expect(reply).toMatchObject({ kind: 'http', status: 307 });
  });

  it.each([200, 500])('breaks a body without end off, with status %i', async (status) => {
    const { reply } = await callTo((_, response) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      const chunk = 'x'.repeat(1024 * 1024);
      const more = (): void => {
        while (!response.destroyed && response.write(chunk));
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    });
    expect(reply.kind).toBe(status === 200 ? 'transport' : 'http');
    expect(JSON.stringify(reply).length).toBeLessThan(1_000);
  });

  it.each([
    ['plain', KEY],
    ['in base64', Buffer.from(KEY).toString('base64')],
  ])('has the key taken out of what a provider repeats, %s', async (_, echoed) => {
    for (const status of [200, 401]) {
      const { reply } = await callTo(
        (__, response) =>
          void response
            .writeHead(status, { 'x-request-id': `r-${echoed}` })
            .end(JSON.stringify({ error: { message: `Incorrect API key provided: ${echoed}.` } })),
      );
      expect(JSON.stringify(reply)).not.toContain(echoed.replace(/=+$/u, ''));
    }
  });

  it('leaves the answer alone where the key is an ordinary word', async () => {
    const { reply } = await callTo(
      (_, response) => void response.end('{"text":"the ollama model"}'),
      'ollama',
    );
    expect(reply).toMatchObject({ bodyText: '{"text":"the ollama model"}' });
  });
});
