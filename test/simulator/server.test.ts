import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { startSimulator } from '../../src/simulator/start-simulator.ts';
import type { SimulatedLimit } from '../../src/simulator/tier.ts';
import { chat, handClock, HELLO, instantModel, perMinute, tierOf } from './serving.ts';
import type { Use } from './window-definitions.ts';
import { usedByDefinition } from './window-definitions.ts';

const LONG =
  'The harbour grew. Trade in the harbour doubled in nine years. The city now lends to other harbours. '.repeat(
    6,
  );

/** Three calls half a minute apart at a tier of one request a minute. */
const statusesWhere = async (countsRejected: boolean) => {
  const tier = tierOf({ limits: [perMinute('requests', 1)], countsRejected });
  const clock = handClock();
  await using simulator = await startSimulator({ tiers: [tier], clock });
  for (const advance of [0, 30_000, 30_000]) {
    clock.advance(advance);
    await (await chat(simulator)).arrayBuffer();
  }
  return simulator.calls().map(({ status }) => status);
};

describe('the simulated server', () => {
  it('is usable with the openai SDK and reports the usage that it counts', async () => {
    await using simulator = await startSimulator({
      tiers: [tierOf({ limits: [perMinute('tokens', 5_000)], apiKey: 'k' })],
    });
    const client = new OpenAI({ baseURL: simulator.baseUrlOf('sim'), apiKey: 'k', maxRetries: 0 });
    const answer = await client.chat.completions.create({
      model: 'small',
      max_tokens: 60,
      messages: [{ role: 'user', content: `Summarise:\n<document>${LONG}</document>` }],
    });
    expect(answer.choices[0]?.message.content).toMatch(/^(?!.*Summarise).*harbour/u);
    expect(answer.choices[0]?.finish_reason).toBe('stop');
    expect(answer.usage?.completion_tokens).toBeLessThanOrEqual(60);
    expect(simulator.stats().providers['sim']?.limits[0]?.used).toBe(answer.usage?.total_tokens);
  });

  it('answers JSON when JSON is asked for, of the schema if there is one', async () => {
    await using simulator = await startSimulator({ tiers: [tierOf()] });
    const messages = [{ role: 'user', content: LONG }];
    const schema = {
      type: 'object',
      properties: {
        title: { type: 'string' },
        points: { type: 'array', items: { type: 'string' } },
        score: { type: 'integer', minimum: 1 },
      },
    };
    const ask = async (response_format: object) => {
      const response = await chat(simulator, { ...HELLO, max_tokens: 200, messages, response_format });
      const answer = JSON.parse(await response.text());
      return JSON.parse(answer.choices[0].message.content);
    };
    expect(await ask({ type: 'json_object' })).toMatchObject({ summary: expect.stringContaining('harbour') });
    expect(await ask({ type: 'json_schema', json_schema: { name: 's', schema } })).toMatchObject({
      title: expect.stringContaining('harbour'),
      points: expect.arrayContaining([expect.any(String)]),
      score: 1,
    });
  });

  it('lists its models and finds one whose id has slashes and colons, raw or encoded', async () => {
    const id = 'google/gemma-4-31b-it:free';
    await using simulator = await startSimulator({ tiers: [tierOf({ models: [instantModel({ id })] })] });
    const get = async (path: string) => fetch(`${simulator.baseUrlOf('sim')}/models${path}`);
    expect(await (await get('')).json()).toMatchObject({ object: 'list', data: [{ id }] });
    expect(await (await get(`/${id}`)).json()).toMatchObject({ id });
    expect(await (await get(`/${encodeURIComponent(id)}`)).json()).toMatchObject({ id });
    const missing = await get('/nope');
    expect([missing.status, await missing.text()]).toEqual([404, expect.stringContaining('nope')]);
  });

  it('refuses what it cannot read with 400 and keeps serving', async () => {
    await using simulator = await startSimulator({ tiers: [tierOf()] });
    const bodies = [
      '{"model":',
      { model: 'small' },
      { ...HELLO, stream: true },
      { ...HELLO, max_tokens: 0 },
      { ...HELLO, max_tokens: 513 },
    ];
    for (const body of bodies) expect((await chat(simulator, body)).status).toBe(400);
    expect((await fetch(`${simulator.url}/sim/v1/embeddings`, { method: 'POST', body: '{}' })).status).toBe(
      404,
    );
    expect((await fetch(`${simulator.url}/unknown/v1/models`)).status).toBe(404);
    expect((await chat(simulator)).status).toBe(200);
  });

  it('refuses a body over 32 MiB with 413 before reading it', async () => {
    await using simulator = await startSimulator({ tiers: [tierOf()] });
    const response = await chat(simulator, 'x'.repeat(32 * 1024 * 1024 + 1)).catch((error: unknown) => error);
    expect(response instanceof Response ? response.status : 413).toBe(413);
  });

  it('charges a call without max_tokens the maximum of the model', async () => {
    await using simulator = await startSimulator({ tiers: [tierOf({ limits: [perMinute('tokens', 500)] })] });
    const { max_tokens: _, ...open } = HELLO;
    expect((await chat(simulator, open)).status).toBe(413);
    expect((await chat(simulator)).status).toBe(200);
  });

  it('refuses calls over the concurrency and counts the peak', async () => {
    const tier = tierOf({ models: [instantModel({ concurrency: 2, latency: { minMs: 150 } })] });
    await using simulator = await startSimulator({ tiers: [tier] });
    const statuses = await Promise.all([1, 2, 3].map(async () => (await chat(simulator)).status));
    expect(statuses.toSorted((left, right) => left - right)).toEqual([200, 200, 429]);
    expect(simulator.stats().providers['sim']?.models['small']).toMatchObject({
      peakConcurrency: 2,
      rejectedByLimit: { concurrency: 1 },
    });
  });

  it('counts rejected calls only where the tier says so', async () => {
    expect(await statusesWhere(false)).toEqual([200, 429, 200]);
    expect(await statusesWhere(true)).toEqual([200, 429, 429]);
  });

  it('logs calls with who asked, and reads on from a sequence number', async () => {
    await using simulator = await startSimulator({ tiers: [tierOf()] });
    await chat(simulator, HELLO, { headers: { 'x-nightshift-request': 'line-1' } });
    await chat(simulator, { ...HELLO, metadata: { custom_id: 'line-2' } });
    const lines = (await (await fetch(`${simulator.url}/_/calls?since=1`)).text()).trim().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { sequence: 2, customId: 'line-2', status: 200 },
    ]);
    const [first, second] = simulator.calls();
    expect(first).toMatchObject({
      sequence: 1,
      customId: 'line-1',
      provider: 'sim',
      model: 'small',
      fault: null,
    });
    expect(first?.messagesHash).toBe(second?.messagesHash);
  });

  it('gives shares of limits over the windows that have passed, and starts anew after a reset', async () => {
    const clock = handClock();
    await using simulator = await startSimulator({
      tiers: [tierOf({ limits: [perMinute('requests', 4)] })],
      clock,
    });
    for (const advance of [0, 0, 61_000]) {
      clock.advance(advance);
      await (await chat(simulator)).arrayBuffer();
    }
    expect(simulator.stats().providers['sim']?.limits).toMatchObject([
      { peakUsed: 2, used: 3, share: 3 / 8 },
    ]);
    await fetch(`${simulator.url}/_/reset`, { method: 'POST' });
    expect(simulator.stats().providers['sim']).toMatchObject({
      calls: 0,
      limits: [{ peakUsed: 0, used: 0 }],
    });
    expect(simulator.calls()).toEqual([]);
  });

  it('lets through no more than the definitions allow under a storm of calls, by its own log', async () => {
    const limits: SimulatedLimit[] = [
      { metric: 'requests', amount: 20, window: { kind: 'rolling', perMs: 100 } },
      { metric: 'requests', amount: 30, window: { kind: 'fixed', perMs: 130, anchorAtMs: 0 } },
    ];
    await using simulator = await startSimulator({ tiers: [tierOf({ limits })] });
    await Promise.all(
      Array.from({ length: 16 }, async () => {
        for (let call = 0; call < 40; call += 1) await (await chat(simulator)).arrayBuffer();
      }),
    );
    const answered = simulator.calls().filter(({ status }) => status === 200);
    const uses = answered
      .toSorted((left, right) => left.arrivedAtMs - right.arrivedAtMs)
      .map(({ arrivedAtMs }, order): Use => ({ atMs: arrivedAtMs, order, chargedAmount: 1, settled: null }));
    for (const [index, { atMs: nowMs }] of uses.entries()) {
      for (const { window, amount } of limits) {
        const used = usedByDefinition(window, amount, { uses: uses.slice(0, index + 1), nowMs });
        expect(used).toBeLessThanOrEqual(amount);
      }
    }
    expect(simulator.stats().providers['sim']).toMatchObject({ calls: 640, succeeded: answered.length });
    expect(answered.length).toBeLessThan(640);
  });

  it('refuses tiers that make no sense, every problem with its path', async () => {
    const tier = tierOf({
      id: 'a/b',
      limits: [
        {
          metric: 'requests',
          amount: 0,
          window: { kind: 'calendar', unit: 'day', timeZone: 'Mars/Olympus' },
        },
      ],
      models: [],
    });
    await expect(startSimulator({ tiers: [tier] })).rejects.toThrow(
      /tiers\[0\]\.id[\s\S]*tiers\[0\]\.models[\s\S]*limits\[0\]\.amount[\s\S]*limits\[0\]\.window\.timeZone/u,
    );
  });
});
