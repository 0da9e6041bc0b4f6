import type { RequestListener } from 'node:http';
import { describe, expect, it } from 'vitest';
import { callTo, callToNobody, KEY } from './serving.ts';

describe('a call to a provider', () => {
  it.each([429, 500, 503])('is made once, whatever comes of it: %i', async (status) => {
    const { reply, asked } = await callTo(
      (_, response) => void response.writeHead(status).end('{"error":{}}'),
    );
    expect(asked).toBe(1);
    expect(reply).toMatchObject({ kind: 'http', status });
  });

  it('tells once that it goes out, before it arrives; and never where no connection comes about', async () => {
    const steps: string[] = [];
    const sent = (): void => void steps.push('sent');
    await callTo(
      (_, response) => {
        steps.push('arrived');
        response.end('{}');
      },
      { sent },
    );
    expect(steps).toEqual(['sent', 'arrived']);
    await callToNobody({ sent });
    expect(steps).toEqual(['sent', 'arrived']);
  });

  it.each([301, 302, 303, 307, 308])(
    'does not follow a redirect, which would be another call with the key: %i',
    async (status) => {
      const { reply, asked } = await callTo(
        (request, response) => void response.writeHead(status, { location: request.url ?? '/' }).end(),
      );
      expect(asked).toBe(1);
      expect(reply).toMatchObject({ kind: 'http', status });
    },
  );

  it.each([
    ['its key', 'k-1', 'Bearer k-1'],
    ['no header at all where it has none', null, undefined],
  ])('sends %s', async (_, key, expected) => {
    const sent: (string | undefined)[] = [];
    const answer: RequestListener = (request, response) => {
      sent.push(request.headers.authorization);
      response.end('{}');
    };
    await callTo(answer, { key });
    expect(sent).toEqual([expected]);
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
    const { reply } = await callTo((_, response) => void response.end('{"text":"the ollama model"}'), {
      key: 'ollama',
    });
    expect(reply).toMatchObject({ bodyText: '{"text":"the ollama model"}' });
  });
});
