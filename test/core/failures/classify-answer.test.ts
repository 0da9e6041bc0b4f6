import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classifyAnswer } from '../../../src/core/failures/classify-answer.ts';
import type { ProviderSignal } from '../../../src/core/failures/evidence.ts';

const NOW_MS = 1_795_158_000_000;
const ASKED = { wantsJson: false, capTokens: 100, isCapOurs: true };

function signal(body: unknown): ProviderSignal {
  const bodyText = typeof body === 'string' ? body : JSON.stringify(body);
  return { status: 200, headers: {}, bodyText, dialect: 'openai', model: 'm', nowMs: NOW_MS };
}

function completion(
  content: unknown,
  finishReason = 'stop',
  completionTokens = 20,
  message: object = {},
): unknown {
  return {
    model: 'm-1',
    choices: [{ finish_reason: finishReason, message: { role: 'assistant', content, ...message } }],
    usage: { prompt_tokens: 10, completion_tokens: completionTokens, total_tokens: 10 + completionTokens },
  };
}

const USAGE = { promptTokens: 10, completionTokens: 20 };

describe('classifyAnswer', () => {
  it('reads text, usage, finish reason and the model that answered', () => {
    const expected = { kind: 'answer', text: 'Hello.', usage: USAGE, finishReason: 'stop', model: 'm-1' };
    expect(classifyAnswer(signal(completion('Hello.')), ASKED)).toEqual(expected);
  });

  it('counts thinking that only the total shows as output', () => {
    const body = {
      choices: [{ message: { content: 'x' } }],
      usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 40 },
    };
    expect(classifyAnswer(signal(body), ASKED)).toMatchObject({
      usage: { promptTokens: 10, completionTokens: 30 },
    });
  });

  it.each([
    ['no prompt', { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 }],
    ['no prompt, but an answer', { prompt_tokens: 0, completion_tokens: 20 }],
    ['an answer of nothing', { prompt_tokens: 10, completion_tokens: 0, total_tokens: 10 }],
  ])('takes a usage of %s for none: the provider did not count', (_name, usage) => {
    const body = { choices: [{ message: { content: 'Hello.' } }], usage };
    expect(classifyAnswer(signal(body), ASKED)).toMatchObject({ kind: 'answer', usage: null });
  });

  it('believes that an empty answer has no tokens', () => {
    const body = {
      choices: [{ message: { content: '' } }],
      usage: { prompt_tokens: 10, completion_tokens: 0 },
    };
    expect(classifyAnswer(signal(body), ASKED)).toMatchObject({
      flaw: 'empty',
      usage: { promptTokens: 10, completionTokens: 0 },
    });
  });

  it.each([
    ['no text', completion(''), ASKED, 'empty'],
    ['null', completion(null), ASKED, 'empty'],
    ['no choices', { choices: [], usage: { prompt_tokens: 10, completion_tokens: 0 } }, ASKED, 'empty'],
    ['a refusal', completion(null, 'stop', 5, { refusal: 'I cannot' }), ASKED, 'refused'],
    ['a filter', completion('Par', 'content_filter'), ASKED, 'refused'],
    ['our cap', completion('Cut', 'length', 100), ASKED, 'truncated-by-our-cap'],
    ['our cap, reasoning only', completion('', 'length', 100), ASKED, 'truncated-by-our-cap'],
    ['a cut well before the cap', completion('Cut', 'length', 40), ASKED, 'truncated'],
    ['prose for JSON', completion('Sure! {}'), { ...ASKED, wantsJson: true }, 'not-json'],
    [
      "a moderation model's verdict in place of an answer",
      completion('\n\nunsafe\nS1,S10'),
      { ...ASKED, promptText: () => 'Summarize this.' },
      'moderation-verdict',
    ],
    [
      'half of the JSON, cut at the cap asked for',
      completion('{"a":', 'length', 100),
      { ...ASKED, wantsJson: true, isCapOurs: false },
      'not-json',
    ],
  ])('finds %s useless', (_name, body, asked, flaw) => {
    expect(classifyAnswer(signal(body), asked)).toMatchObject({ kind: 'useless-answer', flaw });
  });

  it.each([
    ['the cap the user asked for', completion('Cut', 'length', 100), { ...ASKED, isCapOurs: false }],
    ['JSON as asked', completion('{"a":1}'), { ...ASKED, wantsJson: true }],
    [
      'a verdict that was asked for',
      completion('Safe'),
      { ...ASKED, promptText: () => 'Say whether this is SAFE or unsafe.' },
    ],
    [
      'an answer that merely begins like a verdict',
      completion('Safe travels.'),
      { ...ASKED, promptText: () => 'Translate: Gute Reise.' },
    ],
    ['tool calls without text', completion(null, 'tool_calls', 5, { tool_calls: [{ id: 'c' }] }), ASKED],
    ['parts', completion([{ type: 'thinking' }, { type: 'text', text: 'Hi' }]), ASKED],
  ])('accepts %s', (_name, body, asked) => {
    expect(classifyAnswer(signal(body), asked)).toMatchObject({ kind: 'answer' });
  });

  it.each([
    ['an error in a 200', { error: { message: 'boom', code: 500 } }],
    [
      'an error in the choice',
      { choices: [{ error: { message: 'upstream died' }, finish_reason: 'error' }] },
    ],
    ['an error beside no choices', { choices: [], error: { message: 'boom' } }],
    ['HTML', '<html></html>'],
    ['nothing', ''],
    ['half of a body', '{"choices":[{"mess'],
    ['another shape', { ok: true }],
  ])('finds the lane sick for %s', (_name, body) => {
    expect(classifyAnswer(signal(body), ASKED)).toMatchObject({
      kind: 'sick',
      mayHaveWorked: true,
    });
  });

  it('knows of an answer that broke off that it may count, and of an error that it says there is none', () => {
    const brokenOff = { choices: [{ error: { message: 'upstream died' }, finish_reason: 'error' }] };
    for (const body of [brokenOff, '<html></html>', '', '{"choices":[{"mess'])
      expect(classifyAnswer(signal(body), ASKED)).toMatchObject({ kind: 'sick', isCutOff: true });
    const failed = classifyAnswer(signal({ error: { message: 'boom', code: 500 } }), ASKED);
    expect(failed).not.toHaveProperty('isCutOff');
  });

  it('never throws', () => {
    const body = fc.record({
      choices: fc.oneof(fc.jsonValue(), fc.array(fc.record({ message: fc.jsonValue() }))),
      usage: fc.jsonValue(),
    });
    const text = fc.oneof(
      fc.string(),
      fc.json(),
      body.map((value) => JSON.stringify(value)),
    );
    fc.assert(
      fc.property(text, fc.boolean(), (bodyText, wantsJson) => {
        expect(classifyAnswer(signal(bodyText), { ...ASKED, wantsJson })).toHaveProperty('kind');
      }),
    );
  });
});
