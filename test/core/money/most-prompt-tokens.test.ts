import fc from 'fast-check';
import { encode } from 'gpt-tokenizer/encoding/o200k_base';
import { expect, test } from 'vitest';
import { mostPromptTokens } from '../../../src/core/money/most-prompt-tokens.ts';
import { NO_PROMPT, promptParts } from '../../../src/core/tokens/prompt-parts.ts';

const someText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.string({ unit: 'grapheme', maxLength: 200 }),
);

test('no text has more tokens of o200k than it allows for', () => {
  fc.assert(
    fc.property(fc.array(someText, { maxLength: 4 }), (texts) => {
      const most = mostPromptTokens({ ...NO_PROMPT, texts }) ?? 0;
      const counted = texts.reduce((sum, text) => sum + encode(text).length, 0);
      expect(most - 1_024).toBeGreaterThanOrEqual(counted);
    }),
  );
});

test('it grows by a token per byte, and with every message', () => {
  const bare = mostPromptTokens(promptParts({ messages: [{ role: 'user', content: 'Hi' }] })) ?? 0;
  const longer = mostPromptTokens(promptParts({ messages: [{ role: 'user', content: 'Hi, ü' }] })) ?? 0;
  const twice =
    mostPromptTokens(
      promptParts({
        messages: [
          { role: 'user', content: 'Hi' },
          { role: 'user', content: 'Hi' },
        ],
      }),
    ) ?? 0;
  expect([longer - bare, twice - bare]).toEqual([4, 26]);
});

test('nothing bounds parts that are not text', () => {
  const content = [{ type: 'image_url', image_url: { url: 'https://example.com/a.png' } }];
  expect(mostPromptTokens(promptParts({ messages: [{ role: 'user', content }] }))).toBeNull();
});
