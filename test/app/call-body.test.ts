import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { callBody } from '../../src/app/call-body.ts';
import { bodyOfLine } from '../../src/core/lines/line-form.ts';
import { mostPromptTokens } from '../../src/core/money/most-prompt-tokens.ts';
import { summarizeTask } from '../../src/core/tasks/task.ts';
import { aCall, aLane, aProvider, batchLine } from './fakes.ts';

const LANE = aLane('alpha/small', { maxOutputTokens: 512 });
const PROVIDER = aProvider([LANE], { refusesParameters: ['logprobs'] });
const MESSAGES = [{ role: 'user', content: 'Say yes.' }];

const paidBody = (tools: unknown) => {
  const line = batchLine({ messages: MESSAGES, tools, tool_choice: 'auto' });
  return callBody(aCall({ line }), LANE, { ...PROVIDER, tier: 'paid' }).body;
};

describe('callBody', () => {
  it('sends numbers as they were written, though a double cannot hold them', () => {
    const line = `{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{"messages":[{"role":"user","content":"x"}],"seed":12345678901234567890,"temperature":0.10000000000000000000001,"top_p":1e400}}`;
    const { body } = callBody(aCall({ line }), LANE, PROVIDER);
    const sent = JSON.stringify(body);
    expect(sent).toContain('"seed":12345678901234567890');
    expect(sent).toContain('"temperature":0.10000000000000000000001');
    expect(sent).toContain('"top_p":1e400');
  });

  it('leaves out the model, what the provider refuses and what it has refused before', () => {
    const line = batchLine({ model: 'small', messages: MESSAGES, logprobs: true, seed: 1, top_k: 3 });
    const { body } = callBody(aCall({ line, droppedParameters: ['seed'] }), LANE, PROVIDER);
    expect(body).toEqual({ messages: MESSAGES, top_k: 3, max_tokens: 320 });
  });

  it('sends the cap that was reserved under both names where a line names two', () => {
    const line = batchLine({ messages: MESSAGES, max_completion_tokens: 100, max_tokens: 4_000 });
    const call = aCall({ line, outputIsAsked: true, outputTokens: 104 });
    expect(callBody(call, LANE, PROVIDER).body).toMatchObject({
      max_completion_tokens: 100,
      max_tokens: 100,
    });
  });

  it('asks a paid lane for the standard rate, and others for whatever the line does', () => {
    const call = aCall({ line: batchLine({ messages: MESSAGES, service_tier: 'priority' }) });
    expect(callBody(call, LANE, PROVIDER).body).toHaveProperty('service_tier', 'priority');
    expect(callBody(call, LANE, { ...PROVIDER, tier: 'paid' }).body).not.toHaveProperty('service_tier');
  });

  it.each([
    ['models', ['dear/large']],
    ['plugins', [{ id: 'web' }]],
    ['web_search_options', {}],
    ['search_parameters', { mode: 'on' }],
    ['modalities', ['text', 'audio']],
    ['audio', { voice: 'alloy', format: 'wav' }],
    ['prediction', { type: 'content', content: 'Yes.' }],
    ['fallbacks', ['dear/large']],
    ['cache_control', { type: 'ephemeral', ttl: '1h' }],
    ['best_of', 8],
    ['extra_body', { service_tier: 'priority' }],
  ])('leaves %s, which is billed by another price, to lanes that cost nothing', (name, value) => {
    const call = aCall({ line: batchLine({ messages: MESSAGES, [name]: value }) });
    expect(callBody(call, LANE, PROVIDER).body).toHaveProperty(name, value);
    expect(callBody(call, LANE, { ...PROVIDER, tier: 'paid' }).body).not.toHaveProperty(name);
  });

  it('asks a paid lane for no tool that runs at the provider and is billed by the use', () => {
    const mine = { type: 'function', function: { name: 'look_up' } };
    const hosted = { type: 'openrouter:web_search' };
    expect(paidBody([mine, hosted])).toMatchObject({ tools: [mine], tool_choice: 'auto' });
    expect(Object.keys(paidBody([hosted]))).toEqual(['messages', 'max_tokens']);
  });

  it('asks a paid lane to put nothing into a dearer cache, and leaves all else of messages and tools alone', () => {
    const cache_control = { type: 'ephemeral' };
    const part = { type: 'text', text: 'Say yes.' };
    const parameters = { type: 'object', properties: { cache_control: { type: 'string' } } };
    const mine = { type: 'function', function: { name: 'look_up', parameters } };
    const said = { role: 'user', name: 'Ada' };
    const line = batchLine({
      messages: [{ ...said, cache_control, content: [{ ...part, cache_control }] }],
      tools: [{ ...mine, cache_control }],
    });
    const sentTo = (tier: 'free' | 'paid') => callBody(aCall({ line }), LANE, { ...PROVIDER, tier }).body;
    expect(sentTo('paid')).toMatchObject({ messages: [{ ...said, content: [part] }], tools: [mine] });
    expect(JSON.stringify(sentTo('paid')).match(/cache_control/gu)).toHaveLength(1);
    expect(JSON.stringify(sentTo('free')).match(/cache_control/gu)).toHaveLength(4);
  });

  it('lets OpenRouter choose no host that asks for more than the budget is reckoned by', () => {
    const price = {
      inputNanoDollarsPerMillion: 150_000_000,
      outputNanoDollarsPerMillion: 600_000_000,
      requestNanoDollars: 0,
    };
    const preferences = {
      data_collection: 'deny',
      order: ['dear'],
      sort: 'throughput',
      max_price: { prompt: 9 },
    };
    const line = batchLine({ messages: MESSAGES, provider: preferences });
    const paid = { ...PROVIDER, tier: 'paid', dialect: 'openrouter' } as const;
    expect(callBody(aCall({ line }), { ...LANE, price }, paid).body['provider']).toEqual({
      data_collection: 'deny',
      max_price: { prompt: 0.15, completion: 0.6, request: 0 },
    });
    expect(
      callBody(aCall({ line }), { ...LANE, price }, { ...paid, dialect: 'openai' }).body['provider'],
    ).toEqual({ data_collection: 'deny' });
    expect(callBody(aCall({ line }), LANE, { ...paid, tier: 'free' }).body['provider']).toEqual(preferences);
  });

  it('sends a paid lane no more bytes than are set aside for, whatever is in the line', () => {
    const text = fc.string({ unit: 'grapheme' }).map((some) => some.repeat(500));
    const members = fc.record(
      { prediction: text, stop: text, tools: text, metadata: text, seed: fc.double() },
      { requiredKeys: [] },
    );
    const messages = fc.array(fc.record({ role: text, content: text }));
    fc.assert(
      fc.property(members, messages, (some, said) => {
        const line = batchLine({ ...some, messages: [...MESSAGES, ...said] });
        const { body } = callBody(aCall({ line }), LANE, { ...PROVIDER, tier: 'paid' });
        const most = mostPromptTokens(bodyOfLine(line, null)) ?? Infinity;
        expect(Buffer.byteLength(JSON.stringify(body))).toBeLessThanOrEqual(most);
      }),
    );
  });

  it('caps the answer at what was reserved where the line does not', () => {
    const { body, capTokens } = callBody(aCall({ line: batchLine({ messages: MESSAGES }) }), LANE, PROVIDER);
    expect([body['max_tokens'], capTokens]).toEqual([320, 320]);
  });

  it('never asks for more than the lane gives where the cap is ours', () => {
    const { body, capTokens } = callBody(aCall({ outputTokens: 1_024 }), LANE, PROVIDER);
    expect([body['max_tokens'], capTokens]).toEqual([512, 512]);
  });

  it.each(['max_tokens', 'max_completion_tokens'])(
    'leaves the cap that a line asks for in %s as it is',
    (name) => {
      const line = batchLine({ messages: MESSAGES, [name]: 100 });
      const asked = aCall({ line, outputIsAsked: true, outputTokens: 104 });
      const { body, capTokens } = callBody(asked, LANE, PROVIDER);
      expect(body).toEqual({ messages: MESSAGES, [name]: 100 });
      expect(capTokens).toBe(100);
    },
  );

  it('puts the cap that was raised in place of the one of the task', () => {
    const task = summarizeTask({ maxOutputTokens: 64 });
    const line = JSON.stringify({ id: 1, text: 'A long story.' });
    const { body, capTokens } = callBody(aCall({ line, task, outputTokens: 256 }), LANE, PROVIDER);
    expect([body['max_tokens'], capTokens]).toEqual([256, 256]);
  });

  it('keeps the cap of a line under the older name where the provider refuses the newer one', () => {
    const line = batchLine({ messages: [{ role: 'user', content: 'Hi.' }], max_completion_tokens: 77 });
    const provider = { ...PROVIDER, refusesParameters: ['max_completion_tokens'] };
    const { body, capTokens } = callBody(aCall({ line, outputIsAsked: true }), LANE, provider);
    expect([body['max_tokens'], body['max_completion_tokens'], capTokens]).toEqual([77, undefined, 77]);
  });

  it('makes the request of a document from its task as it was stored', () => {
    const task: unknown = JSON.parse(JSON.stringify(summarizeTask()));
    const line = JSON.stringify({ id: 1, text: 'A long story.' });
    const { body } = callBody(aCall({ line, task }), LANE, PROVIDER);
    expect(JSON.stringify(body['messages'])).toContain('A long story.');
    expect(body['temperature']).toBe(0.2);
  });

  it('throws with the request and the way out where the stored task is none of this version', () => {
    const call = aCall({ task: { kind: 'task', name: 'from another version' } });
    expect(() => callBody(call, LANE, PROVIDER)).toThrow(/task of request 42 .* Finish the batch with/u);
  });
});
