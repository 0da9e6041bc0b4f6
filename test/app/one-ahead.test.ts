import { describe, expect, it } from 'vitest';
import { oneAhead } from '../../src/app/one-ahead.ts';

/** Numbers from 1 on, and what became of their maker. */
const counting = (last: number, atLast: () => void = () => {}) => {
  const made: number[] = [];
  const seen = { made, isEnded: false };
  async function* numbers(): AsyncGenerator<number, void> {
    try {
      for (let number = 1; number <= last; number += 1) {
        made.push(number);
        yield number;
      }
      atLast();
    } finally {
      seen.isEnded = true;
    }
  }
  return { seen, numbers: numbers() };
};

describe('oneAhead', () => {
  it('gives every item in order', async () => {
    expect(await Array.fromAsync(oneAhead(counting(5).numbers))).toEqual([1, 2, 3, 4, 5]);
    expect(await Array.fromAsync(oneAhead(counting(0).numbers))).toEqual([]);
  });

  it('has the next item made while one is used, and no more than that', async () => {
    const { seen, numbers } = counting(5);
    const ahead = oneAhead(numbers);
    await ahead.next();
    await expect.poll(() => seen.made).toEqual([1, 2]);
    await ahead.next();
    await expect.poll(() => seen.made).toEqual([1, 2, 3]);
    await ahead.return();
  });

  it('ends the source when it is left early', async () => {
    const { seen, numbers } = counting(5);
    for await (const number of oneAhead(numbers)) if (number === 2) break;
    expect(seen).toEqual({ made: [1, 2, 3], isEnded: true });
  });

  it('throws what the source throws, after the items before it', async () => {
    const { seen, numbers } = counting(2, () => {
      throw new Error('the file breaks off');
    });
    const items: number[] = [];
    const read = async (): Promise<void> => {
      for await (const number of oneAhead(numbers)) items.push(number);
    };
    await expect(read()).rejects.toThrow('the file breaks off');
    expect([items, seen.isEnded]).toEqual([[1, 2], true]);
  });

  it('leaves no failure unhandled when it is left before the failure comes', async () => {
    const { seen, numbers } = counting(1, () => {
      throw new Error('nobody asks any more');
    });
    for await (const _ of oneAhead(numbers)) break;
    expect(seen.isEnded).toBe(true);
  });
});
