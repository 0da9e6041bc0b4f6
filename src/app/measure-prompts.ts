/** The size of prompts: their texts counted, all in one go, and what a template adds. */
import type { PromptParts } from '../core/tokens/prompt-parts.ts';
import type { TokenCounter } from './token-counter.ts';

/** Each item with the tokens of its prompt, in order. */
export const measurePrompts = async <Item>(
  tokens: TokenCounter,
  items: readonly Item[],
  promptOf: (item: Item) => PromptParts,
): Promise<readonly (readonly [Item, number])[]> => {
  const prompts = items.map((item) => ({ item, ...promptOf(item) }));
  const counts = await tokens.count(prompts.flatMap(({ texts }) => texts));
  let from = 0;
  return prompts.map(({ item, texts, fixedTokens }) => {
    const own = counts.slice(from, from + texts.length);
    from += texts.length;
    return [item, own.reduce((sum, count) => sum + count, fixedTokens)];
  });
};
