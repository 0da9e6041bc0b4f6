import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { coalesce } from '../../src/app/coalesce.ts';

/** Batches that end when they are told to. */
const heldBatches = () => {
  const batches: (readonly number[])[] = [];
  const ends: PromiseWithResolvers<void>[] = [];
  const run = async (items: readonly number[]): Promise<(item: number) => string> => {
    batches.push(items);
    const end = Promise.withResolvers<void>();
    ends.push(end);
    await end.promise;
    return (item) => `value of ${item}`;
  };
  const latest = (): PromiseWithResolvers<void> => {
    const end = ends.at(-1);
    if (end === undefined) throw new Error('Expected a batch under way, got none.');
    return end;
  };
  return { batches, run, latest };
};

describe('coalesce', () => {
  it('lets the first item leave at once, and what arrives meanwhile go together', async () => {
    const { batches, run, latest } = heldBatches();
    const one = coalesce(run, 10);
    const first = one(1);
    expect(batches).toEqual([[1]]);
    const others = [one(2), one(3)];
    expect(batches).toEqual([[1]]);
    latest().resolve();
    await expect(first).resolves.toBe('value of 1');
    expect(batches).toEqual([[1], [2, 3]]);
    latest().resolve();
    await expect(Promise.all(others)).resolves.toEqual(['value of 2', 'value of 3']);
  });

  it('lets the next item leave at once again when nothing is under way', async () => {
    const batches: (readonly number[])[] = [];
    const one = coalesce(async (items: readonly number[]) => {
      batches.push(items);
      return (item: number) => item;
    }, 10);
    await one(1);
    const second = one(2);
    expect(batches).toEqual([[1], [2]]);
    await second;
  });

  it('throws for the one bad item and answers the others of its batch', async () => {
    const one = coalesce(
      async () => (item: number) => {
        if (item === 2) throw new Error('bad entry');
        return item;
      },
      10,
    );
    const results = await Promise.allSettled([one(1), one(2), one(3)]);
    expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  it('rejects a batch as a whole and goes on with the next', async () => {
    const { run, latest } = heldBatches();
    const one = coalesce(run, 2);
    const first = one(1);
    const next = one(2);
    latest().reject(new Error('the record is away'));
    await expect(first).rejects.toThrow('the record is away');
    latest().resolve();
    await expect(next).resolves.toBe('value of 2');
  });

  it('rejects for an error that is thrown before there is a promise', async () => {
    const one = coalesce((): never => {
      throw new Error('at once');
    }, 2);
    await expect(one(1)).rejects.toThrow('at once');
    await expect(one(2)).rejects.toThrow('at once');
  });

  it('gives each item its own value, in order of arrival and never more than the bound together', async () => {
    const arrivals = fc.array(fc.record({ item: fc.integer(), turnsLater: fc.nat(3) }), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(arrivals, fc.integer({ min: 1, max: 5 }), async (calls, atMost) => {
        const batches: (readonly { item: number }[])[] = [];
        const one = coalesce(async (items: readonly { item: number }[]) => {
          batches.push(items);
          await Promise.resolve();
          return ({ item }: { item: number }) => item * 2;
        }, atMost);
        const values: Promise<number>[] = [];
        for (const call of calls) {
          for (let turn = 0; turn < call.turnsLater; turn += 1) await Promise.resolve();
          values.push(one(call));
        }
        expect(await Promise.all(values)).toEqual(calls.map(({ item }) => item * 2));
        expect(batches.flat()).toEqual(calls);
        expect(batches.every((batch) => batch.length >= 1 && batch.length <= atMost)).toBe(true);
      }),
    );
  });
});
