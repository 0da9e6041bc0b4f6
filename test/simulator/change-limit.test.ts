import { describe, expect, it } from 'vitest';
import type { RunningSimulator } from '../../src/simulator/start-simulator.ts';
import { startSimulator } from '../../src/simulator/start-simulator.ts';
import { chat, handClock, HELLO, instantModel, perMinute, tierOf } from './serving.ts';

const DAY = { kind: 'calendar', unit: 'day', timeZone: 'UTC' } as const;

const start = async () =>
  startSimulator({
    clock: handClock(),
    tiers: [
      tierOf({
        limits: [perMinute('requests', 5), { metric: 'requests', amount: 100, window: DAY }],
        models: [instantModel({ limits: [perMinute('tokens', 500)] })],
      }),
    ],
  });

const post = async (simulator: RunningSimulator, body: unknown) => {
  const response = await fetch(`${simulator.url}/_/limits`, { method: 'POST', body: JSON.stringify(body) });
  return { status: response.status, text: await response.text() };
};

/** Calls until one is refused, and gives how many were answered. */
const answeredUntilRefused = async (simulator: RunningSimulator): Promise<number> => {
  for (let answered = 0; ; answered += 1) {
    const response = await chat(simulator, HELLO);
    await response.arrayBuffer();
    if (response.status !== 200) return answered;
  }
};

describe('the true amount of a limit', () => {
  it('is changed over HTTP while calls go on, and what was used stays used', async () => {
    await using simulator = await start();
    expect(await answeredUntilRefused(simulator)).toBe(5);
    const change = { provider: 'sim', metric: 'requests', window: { kind: 'rolling' }, amount: 8 };
    expect(await post(simulator, change)).toEqual({ status: 200, text: JSON.stringify({ changed: change }) });
    expect(await answeredUntilRefused(simulator)).toBe(3);
    expect(simulator.stats().providers['sim']?.limits).toMatchObject([
      { amount: 8, used: 8, peakUsed: 8 },
      { amount: 100, used: 8 },
    ]);
  });

  it('is changed in the same process, for one model or for its provider', async () => {
    await using simulator = await start();
    simulator.setLimit({ provider: 'sim', model: 'small', metric: 'tokens', amount: 30 });
    expect(await answeredUntilRefused(simulator)).toBe(1);
    simulator.setLimit({ provider: 'sim', model: 'small', metric: 'tokens', amount: 500 });
    simulator.setLimit({
      provider: 'sim',
      metric: 'requests',
      window: perMinute('requests', 5).window,
      amount: 2,
    });
    expect(await answeredUntilRefused(simulator)).toBe(1);
  });

  it('is that of the tier again after a reset', async () => {
    await using simulator = await start();
    simulator.setLimit({ provider: 'sim', metric: 'requests', window: DAY, amount: 1 });
    expect(await answeredUntilRefused(simulator)).toBe(1);
    simulator.reset();
    expect(await answeredUntilRefused(simulator)).toBe(5);
  });

  it.each([
    [
      { provider: 'sim', metric: 'requests', amount: 8 },
      'got 2. There are: 5 requests per 60s (rolling), 100 requests',
    ],
    [{ provider: 'sim', metric: 'tokens', amount: 8 }, 'got none. There are: 5 requests'],
    [
      { provider: 'sim', metric: 'tokens', model: 'large', amount: 8 },
      '`model` to be one of small, got `large`',
    ],
    [{ provider: 'other', metric: 'tokens', amount: 8 }, '`provider` to be one of sim, got `other`'],
    [
      { provider: 'sim', metric: 'tokens', model: 'small', amount: 0.5 },
      '`amount` to be a positive whole number',
    ],
    [{ provider: 'sim', metric: 'tokens', model: 'small' }, '`amount` to be a positive whole number'],
    [{ provider: 'sim', metric: 'calls', amount: 8 }, '`metric` to be one of requests, tokens'],
    [{ provider: 'sim', metric: 'requests', window: 'minute', amount: 8 }, '`window` to be an object'],
    [{ metric: 'requests', amount: 8 }, '`provider` to be the id'],
    [[], 'Expected a JSON object with `provider`'],
  ])('stays as it is where %j does not mean one limit', async (change, problem) => {
    await using simulator = await start();
    const { status, text } = await post(simulator, change);
    expect([status, JSON.parse(text)]).toEqual([
      400,
      { error: { message: expect.stringContaining(problem) } },
    ]);
    expect(simulator.stats().providers['sim']?.limits.map(({ amount }) => amount)).toEqual([5, 100]);
  });
});
