import fc from 'fast-check';
import { encode } from 'gpt-tokenizer/encoding/o200k_base';
import { expect, test } from 'vitest';
import { mostPromptTokens } from '../../../src/core/money/most-prompt-tokens.ts';

const HI = { role: 'user', content: 'Hi' };
const bare = mostPromptTokens({ messages: [HI] }) ?? 0;

const someText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.string({ unit: 'grapheme', maxLength: 200 }),
);

test('no text has more tokens of o200k than it allows for', () => {
  fc.assert(
    fc.property(fc.array(someText, { maxLength: 4 }), (texts) => {
      const messages = texts.map((content) => ({ role: 'user', content }));
      const most = mostPromptTokens({ messages }) ?? 0;
      const counted = texts.reduce((sum, text) => sum + encode(text).length, 0);
      expect(most - 1_024).toBeGreaterThanOrEqual(counted);
    }),
  );
});

test('it grows by a token per byte of the JSON that is sent, and with every message', () => {
  const longer = mostPromptTokens({ messages: [{ ...HI, content: 'Hi, ü' }] }) ?? 0;
  const twice = mostPromptTokens({ messages: [HI, HI] }) ?? 0;
  const called = mostPromptTokens({ messages: [HI], chat_template_kwargs: { name: 'ü' } }) ?? 0;
  expect([longer - bare, twice - bare, called - bare]).toEqual([
    4,
    24 + ',{"role":"user","content":"Hi"}'.length,
    ',"chat_template_kwargs":{"name":"ü"}'.length + 1,
  ]);
});

test('nothing bounds what is fetched or decoded', () => {
  const content = [{ type: 'image_url', text: '', image_url: { url: 'https://example.com/a.png' } }];
  expect(mostPromptTokens({ messages: [{ role: 'user', content }] })).toBeNull();
});

test('what a paid call leaves out is not counted', () => {
  const leftOut = { prediction: { type: 'content', content: 'Hello' }, audio: { voice: 'alloy' } };
  expect(mostPromptTokens({ messages: [HI], ...leftOut })).toBe(bare);
});
