/** Turns many single calls into few batched ones: whatever arrives while a batch is under way goes with the next. */

interface Waiting<Item, Value> {
  readonly item: Item;
  readonly resolve: (value: Value) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A function for one item, on top of one for many. The first item leaves at once, so that nothing waits for company;
 * at most `atMost` go together. A batch that fails, fails for all its items.
 */
export const coalesce = <Item, Value>(
  run: (items: readonly Item[]) => Promise<readonly Value[]>,
  atMost: number,
): ((item: Item) => Promise<Value>) => {
  const waiting: Waiting<Item, Value>[] = [];
  let isRunning = false;

  const drain = async (): Promise<void> => {
    isRunning = true;
    while (waiting.length > 0) {
      const batch = waiting.splice(0, atMost);
      try {
        const values = await run(batch.map(({ item }) => item));
        for (const [index, { resolve }] of batch.entries()) resolve(values[index] as Value);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    isRunning = false;
  };

  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (!isRunning) void drain();
    });
};
