/** Work that takes turns. */
import { describe, expect, it } from 'vitest';
import { turns } from '../../../src/adapters/postgres/turns.ts';

describe('work that takes turns', () => {
  it('is done so much at once and in order, whatever becomes of what was before', async () => {
    const inTurn = turns(2);
    const begun: number[] = [];
    const ends = [0, 1, 2, 3].map(() => Promise.withResolvers<void>());
    const done = ends.map(({ promise }, index) =>
      inTurn(async () => {
        begun.push(index);
        await promise;
        return index;
      }),
    );
    await Promise.resolve();
    expect(begun).toEqual([0, 1]);
    ends[1]?.reject(new Error('a fault'));
    await expect(done[1]).rejects.toThrow('a fault');
    expect(begun).toEqual([0, 1, 2]);
    for (const { resolve } of ends) resolve();
    await expect(Promise.all([done[0], done[2], done[3]])).resolves.toEqual([0, 2, 3]);
    await expect(inTurn(async () => 4)).resolves.toBe(4);
  });
});
