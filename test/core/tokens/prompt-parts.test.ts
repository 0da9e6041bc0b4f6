import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NO_PROMPT, promptParts } from '../../../src/core/tokens/prompt-parts.ts';

const HELLO = { role: 'user', content: 'Hello there' };
const bare = promptParts({ messages: [HELLO] });

describe('promptParts', () => {
  it('has the text of each message, and charges for each and for the template', () => {
    const two = promptParts({ messages: [HELLO, { role: 'assistant', content: 'Hi' }] });
    expect([bare.texts, two.texts]).toEqual([['Hello there'], ['Hello there', 'Hi']]);
    expect(promptParts({ messages: [] }).fixedTokens).toBeGreaterThanOrEqual(70);
    expect(two.fixedTokens - bare.fixedTokens).toBe(6);
  });

  it('has the text of each part, and charges for parts that are something else', () => {
    const content = [
      { type: 'text', text: 'What is this?' },
      { type: 'image_url', image_url: { url: `data:image/png;base64,${'A'.repeat(100)}` } },
      'A plain part.',
      { type: 'image_url', text: '', image_url: { url: 'https://example.com/a.png' } },
      { type: 'text', text: 'And this?', image: 'https://example.com/b.png' },
      7,
    ];
    const { texts, fixedTokens } = promptParts({ messages: [{ role: 'user', content }] });
    expect(texts).toEqual(['What is this?', 'A plain part.', 'And this?']);
    expect(fixedTokens - bare.fixedTokens).toBe(4 * 1_600);
  });

  it('has names, tool calls and schemas as the JSON they are sent as', () => {
    const { texts, fixedTokens } = promptParts({
      messages: [{ ...HELLO, name: 'Ann', tool_calls: [{ id: 'c1' }] }],
      tools: [{ type: 'function' }],
      functions: null,
      response_format: { type: 'json_object' },
    });
    expect(texts).toEqual([
      'Hello there',
      '{"name":"Ann","tool_calls":[{"id":"c1"}]}',
      '[{"type":"function"}]',
      '{"type":"json_object"}',
    ]);
    expect(fixedTokens).toBe(bare.fixedTokens);
  });

  it('has nothing of what the model does not read', () => {
    const settings = { model: 'm', temperature: 1, metadata: { a: 'b' }, user: 'u', stop: ['x'] };
    expect(promptParts({ ...settings, messages: [HELLO] })).toEqual(bare);
  });

  it('never throws, and never falls below the template', () => {
    const member = fc.jsonValue();
    const messages = fc.oneof(member, fc.array(fc.record({ role: member, content: member })));
    fc.assert(
      fc.property(messages, member, member, (some, tools, format) => {
        const { texts, fixedTokens } = promptParts({ messages: some, tools, response_format: format });
        expect(fixedTokens).toBeGreaterThanOrEqual(promptParts({}).fixedTokens);
        expect(texts).not.toContain('');
      }),
    );
  });

  it('is nothing for what is no prompt', () => {
    expect(NO_PROMPT).toEqual({ texts: [], fixedTokens: 0 });
  });
});
