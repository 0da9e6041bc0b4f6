/** Tiers and calls for the tests that go over HTTP. */
import type { RunningSimulator } from '../../src/simulator/start-simulator.ts';
import type { SimulatedLimit, SimulatedModel, SimulatedTier } from '../../src/simulator/tier.ts';

/** Whole milliseconds from a fixed instant, moved by hand. */
export interface HandClock {
  nowMs(): number;
  advance(byMs: number): void;
}

/** A clock that stands still until it is moved. */
export function handClock(startAtMs = Date.UTC(2026, 10, 20, 12)): HandClock {
  let nowMs = startAtMs;
  return {
    nowMs: () => nowMs,
    advance(byMs) {
      nowMs += byMs;
    },
  };
}

/** A model that answers at once. */
export function instantModel(changes: Partial<SimulatedModel> = {}): SimulatedModel {
  return {
    id: 'small',
    contextTokens: 8_192,
    maxOutputTokens: 512,
    limits: [],
    latency: { minMs: 0 },
    ...changes,
  };
}

/** A tier of one instant model without limits. */
export function tierOf(changes: Partial<SimulatedTier> = {}): SimulatedTier {
  return { id: 'sim', dialect: 'openai', limits: [], models: [instantModel()], ...changes };
}

/** A rolling limit per minute. */
export function perMinute(metric: SimulatedLimit['metric'], amount: number): SimulatedLimit {
  return { metric, amount, window: { kind: 'rolling', perMs: 60_000 } };
}

/** A short chat body; 9 prompt tokens, 1 message. */
export const HELLO = {
  model: 'small',
  messages: [{ role: 'user', content: 'Say hello to us.' }],
  max_tokens: 20,
};

/** Posts a chat completion. */
export async function chat(
  simulator: RunningSimulator,
  body: unknown = HELLO,
  { provider = 'sim', headers = {}, signal = AbortSignal.timeout(10_000) }: ChatOptions = {},
): Promise<Response> {
  return fetch(`${simulator.baseUrlOf(provider)}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    signal,
  });
}

interface ChatOptions {
  readonly provider?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}
