import { describe, expect, it } from 'vitest';
import { parseLossless } from '../../../src/core/json/lossless-json.ts';
import { isRecord } from '../../../src/core/json/loose-json.ts';
import { isTextAlone, isTextPart } from '../../../src/core/tokens/text-alone.ts';

const HELLO = { role: 'user', content: 'Hello there' };
const ANSWER = { role: 'assistant', content: 'Hi' };

describe('a part of a message', () => {
  it.each([
    ['a plain string', 'Hi'],
    ['of type text', { type: 'text', text: 'Hi' }],
    ['marked for the cache', { type: 'text', text: 'Hi', cache_control: { type: 'ephemeral' } }],
    [
      'with members that hold nothing',
      { type: 'text', text: 'Hi', image_url: null, weight: 1, annotations: [] },
    ],
  ])('is text where it is %s', (_what, part) => {
    expect(isTextPart(part)).toBe(true);
  });

  it.each([
    ['its type is another, whatever its text', { type: 'image_url', text: '' }],
    [
      'it has an image beside its text',
      { type: 'text', text: 'Hi', image_url: { url: 'https://a.example' } },
    ],
    ['it names something beside its text', { type: 'text', text: 'Hi', file_id: 'file-1' }],
    ['its text is none', { type: 'text', text: { value: 'Hi' } }],
    ['it is no part', 7],
  ])('is not text where %s', (_what, part) => {
    expect(isTextPart(part)).toBe(false);
  });
});

describe('a body', () => {
  it('is text alone with tools, schemas, settings and the turns of a conversation', () => {
    const call = { id: 'c1', type: 'function', function: { name: 'look_up', arguments: '{"url":"x"}' } };
    const body = {
      model: 'small',
      messages: [
        { role: 'system', content: [{ type: 'text', text: 'Be brief.' }], name: 'Ann' },
        HELLO,
        { role: 'assistant', content: null, refusal: null, audio: null, tool_calls: [{ ...call, index: 0 }] },
        { role: 'tool', content: 'found', tool_call_id: 'c1' },
        { ...ANSWER, reasoning_content: 'A greeting.', prefix: true, annotations: [] },
      ],
      tools: [
        { type: 'function', function: { name: 'look_up', parameters: { image_url: { type: 'string' } } } },
      ],
      response_format: { type: 'json_object' },
      temperature: 0.5,
      logprobs: true,
      stop: ['x'],
      metadata: { a: 'b' },
      reasoning: { effort: 'low' },
      images: [],
      preset: null,
    };
    expect(isTextAlone(body)).toBe(true);
  });

  it('is text alone with numbers that a double cannot hold', () => {
    const body = parseLossless('{"messages":[{"role":"user","content":"x"}],"seed":12345678901234567890}');
    expect(isRecord(body) && isTextAlone(body)).toBe(true);
  });

  it.each([
    ['an image', { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'x' } }] }] }],
    ['images beside the content', { messages: [{ ...HELLO, images: ['https://example.com/a.png'] }] }],
    ['speech that is stored', { messages: [{ role: 'assistant', audio: { id: 'audio_1' } }] }],
    ['a file of an earlier answer', { messages: [{ ...ANSWER, annotations: [{ type: 'file' }] }] }],
    [
      'a signature of thoughts',
      { messages: [{ ...ANSWER, tool_calls: [{ id: 'c', extra_content: { a: 'b' } }] }] },
    ],
    ['tool calls that are none', { messages: [{ ...ANSWER, tool_calls: 'c1' }] }],
    ['a prompt that is stored', { messages: [HELLO], preset: '@preset/long' }],
    ['content that is cached', { messages: [HELLO], extra_body: { google: { cached_content: 'c' } } }],
    ['documents of any kind', { messages: [HELLO], documents: ['Once upon a time'] }],
    ['no messages', { messages: 'Hi' }],
    ['a message that is none', { messages: [null] }],
  ])('is not text alone with %s', (_what, body) => {
    expect(isTextAlone(body)).toBe(false);
  });
});
