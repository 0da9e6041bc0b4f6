import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { measurePrompts } from '../../src/app/measure-prompts.ts';
import { fourCharactersAToken } from './fake-tokenizer.ts';

describe('measurePrompts', () => {
  it('gives each prompt the counts of its own texts and its fixed tokens, in order', async () => {
    const prompt = fc.record({
      texts: fc.array(fc.string(), { maxLength: 4 }),
      fixedTokens: fc.nat(2_000),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(prompt), async (prompts) => {
        const measured = await measurePrompts(fourCharactersAToken, prompts, (item) => item);
        const expected = prompts.map(({ texts, fixedTokens }) =>
          texts.reduce((sum, { length }) => sum + Math.ceil(length / 4), fixedTokens),
        );
        expect(measured.map(([item]) => item)).toEqual(prompts);
        expect(measured.map(([, tokens]) => tokens)).toEqual(expected);
      }),
    );
  });

  it('asks for all texts in one go', async () => {
    const asked: (readonly string[])[] = [];
    const count = async (texts: readonly string[]): Promise<readonly number[]> => {
      asked.push(texts);
      return texts.map(() => 1);
    };
    const prompts = ['a', 'b', 'c'].map((text) => ({ texts: [text], fixedTokens: 0 }));
    await measurePrompts({ count }, prompts, (prompt) => prompt);
    expect(asked).toEqual([['a', 'b', 'c']]);
  });
});
