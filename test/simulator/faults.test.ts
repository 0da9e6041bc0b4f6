import { describe, expect, it } from 'vitest';
import type { FaultKind, FaultRule } from '../../src/simulator/faults/fault.ts';
import { FRONT_FAULTS, WORK_FAULTS } from '../../src/simulator/faults/fault.ts';
import { startSimulator } from '../../src/simulator/start-simulator.ts';
import { chat, handClock, HELLO, instantModel, perMinute, tierOf } from './serving.ts';

const TIER = tierOf({ limits: [perMinute('requests', 100)] });
const ALWAYS = { provider: 'sim' } as const;

async function underFault(rule: Omit<FaultRule, 'provider'>, body: unknown = HELLO) {
  await using simulator = await startSimulator({ tiers: [TIER], faults: [{ ...ALWAYS, ...rule }] });
  const response = await chat(simulator, body);
  return { status: response.status, type: response.headers.get('content-type'), text: await response.text() };
}

/** Which of so many calls were struck: `x`, and which were not: `.`. */
const struck = async (rule: Omit<FaultRule, 'provider'>, calls: number) => {
  await using simulator = await startSimulator({ tiers: [TIER], faults: [{ ...ALWAYS, ...rule }] });
  for (let call = 0; call < calls; call += 1) await (await chat(simulator)).arrayBuffer();
  return simulator
    .calls()
    .map(({ fault }) => (fault === null ? '.' : 'x'))
    .join('');
};

/** Requests counted after one call under the fault. */
const usedAfter = async (kind: FaultKind, countsFailed: boolean) => {
  await using simulator = await startSimulator({
    tiers: [{ ...TIER, countsFailed }],
    faults: [{ ...ALWAYS, kind }],
  });
  const signal = AbortSignal.timeout(100);
  await chat(simulator, HELLO, {
    signal: kind === 'hang' || kind === 'slow' ? signal : AbortSignal.timeout(5_000),
  }).catch(() => null);
  return simulator.stats().providers['sim']?.limits[0]?.used;
};

/** How a call ended that may have no answer. */
async function ending(call: Promise<Response>): Promise<string> {
  return call.then(
    ({ status }) => String(status),
    (error: unknown) => String(error),
  );
}

describe('a fault with an answer', () => {
  it.each<[FaultKind, number, RegExp]>([
    ['http-500', 500, /server had an error/u],
    ['http-502-html', 502, /^<!DOCTYPE html>/u],
    ['http-503', 503, /overloaded/u],
    ['unauthorized', 401, /invalid_api_key/u],
    ['gemini-bad-key', 400, /API key not valid/u],
    ['forbidden', 403, /forbidden/u],
    ['payment-required', 402, /payment/u],
    ['insufficient-quota', 429, /insufficient_quota/u],
    ['quota-day', 429, /requests per day \(RPD\)/u],
    ['quota-minute', 429, /requests per minute \(RPM\).*try again in 2s/u],
    ['too-large', 413, /Request too large/u],
    ['context-length', 400, /context_length_exceeded/u],
    ['gone', 404, /`small` does not exist/u],
    ['gone-410', 410, /`small` has reached its end of life/u],
    ['html-200', 200, /^<!DOCTYPE html>/u],
    ['empty-200', 200, /^$/u],
    ['empty-answer', 200, /"content":""/u],
    ['error-in-200', 200, /^\{"error":\{"message":"Provider returned error"/u],
    ['truncated', 200, /"finish_reason":"length"/u],
    ['refused', 200, /"refusal":"I cannot.*"finish_reason":"content_filter"/u],
  ])('%s has status %i and its body', async (kind, status, body) => {
    const told = await underFault({ kind });
    expect(told.status).toBe(status);
    expect(told.text).toMatch(body);
  });

  it('cuts JSON in the middle as not-json-200', async () => {
    const { status, text } = await underFault({ kind: 'not-json-200' });
    expect(status).toBe(200);
    expect(() => JSON.parse(text)).toThrow(SyntaxError);
  });

  it('is sent as bad-parameter only to calls with the parameter', async () => {
    const rule = { kind: 'bad-parameter', parameter: 'temperature' } as const;
    const refused = await underFault(rule, { ...HELLO, temperature: 0 });
    expect([refused.status, refused.text]).toEqual([400, expect.stringContaining("'temperature'")]);
    expect((await underFault(rule)).status).toBe(200);
  });
});

describe('a fault without an answer', () => {
  it.each<FaultKind>(['reset', 'dead'])('%s closes the connection', async (kind) => {
    await using simulator = await startSimulator({ tiers: [TIER], faults: [{ ...ALWAYS, kind }] });
    await expect(chat(simulator)).rejects.toThrow('fetch failed');
    expect(simulator.calls()).toMatchObject([
      { status: null, fault: kind, outcome: { kind: 'failed', failure: kind } },
    ]);
  });

  it('hang answers nothing, holds its slot, and ends when the client leaves', async () => {
    const tier = tierOf({ concurrency: 1 });
    await using simulator = await startSimulator({
      tiers: [tier],
      faults: [{ ...ALWAYS, kind: 'hang', count: 1 }],
    });
    const leaving = new AbortController();
    const hanging = ending(chat(simulator, HELLO, { signal: leaving.signal }));
    await expect.poll(() => simulator.stats().providers['sim']?.inFlight).toBe(1);
    expect((await chat(simulator)).status).toBe(429);
    leaving.abort();
    expect(await hanging).toContain('AbortError');
    await expect.poll(() => simulator.stats().providers['sim']?.inFlight).toBe(0);
    expect(simulator.stats().providers['sim']).toMatchObject({ failedByKind: { hang: 1 }, rejected: 1 });
  });

  it('hang does not keep the server from closing', async () => {
    const simulator = await startSimulator({ tiers: [TIER], faults: [{ ...ALWAYS, kind: 'hang' }] });
    const hanging = ending(chat(simulator));
    await expect.poll(() => simulator.stats().providers['sim']?.inFlight).toBe(1);
    await simulator.close();
    expect(await hanging).toContain('fetch failed');
  });

  it('dead takes the model list with it', async () => {
    await using simulator = await startSimulator({
      tiers: [TIER],
      faults: [{ ...ALWAYS, kind: 'dead', afterCalls: 1 }],
    });
    const models = async () => fetch(`${simulator.baseUrlOf('sim')}/models`);
    expect((await models()).status).toBe(200);
    expect((await chat(simulator)).status).toBe(200);
    await expect(models()).rejects.toThrow('fetch failed');
    await expect(chat(simulator)).rejects.toThrow('fetch failed');
  });

  it('slow answers after its extra latency', async () => {
    await using simulator = await startSimulator({
      tiers: [TIER],
      faults: [{ ...ALWAYS, kind: 'slow', latencyMs: 120 }],
    });
    expect((await chat(simulator)).status).toBe(200);
    expect(simulator.calls()[0]?.durationMs).toBeGreaterThanOrEqual(119);
  });
});

describe('the rules of faults', () => {
  it('leave the first calls alone, strike every n-th and stop after a count', async () => {
    expect(await struck({ kind: 'http-500', afterCalls: 2, everyNth: 3, count: 2 }, 14)).toBe(
      '....x..x......',
    );
  });

  it('strike with a probability, the same calls for the same seed', async () => {
    const first = await struck({ kind: 'http-503', probability: 0.5 }, 20);
    expect(await struck({ kind: 'http-503', probability: 0.5 }, 20)).toBe(first);
    expect(first).toMatch(/x/u);
    expect(first).toMatch(/\./u);
  });

  it('hold from and until an instant after the start, for one model', async () => {
    const clock = handClock();
    const tier = tierOf({ models: [instantModel(), instantModel({ id: 'other' })] });
    const faults: FaultRule[] = [
      { ...ALWAYS, model: 'other', kind: 'http-500', fromMs: 1_000, untilMs: 2_000 },
    ];
    await using simulator = await startSimulator({ tiers: [tier], faults, clock });
    const statuses: number[] = [];
    for (const advance of [999, 1, 999, 1]) {
      clock.advance(advance);
      statuses.push(
        (await chat(simulator, { ...HELLO, model: 'other' })).status,
        (await chat(simulator)).status,
      );
    }
    expect(statuses).toEqual([200, 200, 500, 200, 500, 200, 200, 200]);
  });

  it('can be replaced, added to and cleared while it runs, and bad ones are refused with their path', async () => {
    await using simulator = await startSimulator({ tiers: [TIER] });
    const post = async (body: unknown) =>
      fetch(`${simulator.url}/_/faults`, { method: 'POST', body: JSON.stringify(body) });
    expect((await post({ add: [{ provider: 'sim', kind: 'http-503' }] })).status).toBe(200);
    expect((await chat(simulator)).status).toBe(503);
    await post({ replace: [{ provider: '*', kind: 'gone' }] });
    expect((await chat(simulator)).status).toBe(404);
    await post({ clear: true });
    expect((await chat(simulator)).status).toBe(200);
    const bad = await post({ add: [{ provider: 'sim', kind: 'tired', everyNth: 0 }] });
    expect([bad.status, await bad.text()]).toEqual([400, expect.stringContaining('rules[0].kind')]);
  });

  it('in front of the quota count against no limit, at work they do', async () => {
    for (const kind of FRONT_FAULTS.filter((front) => front !== 'bad-parameter'))
      expect([kind, await usedAfter(kind, true)]).toEqual([kind, 0]);
    for (const kind of WORK_FAULTS) expect([kind, await usedAfter(kind, true)]).toEqual([kind, 1]);
    expect(await usedAfter('http-500', false)).toBe(0);
  });
});
