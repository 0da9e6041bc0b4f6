/** Turns many single calls into few batched ones: whatever arrives while a batch is under way goes with the next. */

interface Waiting<Item, Value> {
  readonly item: Item;
  readonly resolve: (value: Value) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A function for one item, on top of one for many, which answers with each item's value (or throws for that item).
 * The first item leaves at once, so that nothing waits for company; at most `atMost` go together. A batch that
 * rejects, rejects for all its items.
 */
export const coalesce = <Item, Value>(
  run: (items: readonly Item[]) => Promise<(item: Item) => Value>,
  atMost: number,
): ((item: Item) => Promise<Value>) => {
  const waiting: Waiting<Item, Value>[] = [];
  let isRunning = false;

  const drain = async (): Promise<void> => {
    isRunning = true;
    while (waiting.length > 0) {
      const batch = waiting.splice(0, atMost);
      try {
        const valueOf = await run(batch.map(({ item }) => item));
        for (const entry of batch) settle(entry, valueOf);
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

const settle = <Item, Value>(
  { item, resolve, reject }: Waiting<Item, Value>,
  valueOf: (item: Item) => Value,
): void => {
  try {
    resolve(valueOf(item));
  } catch (error) {
    reject(error);
  }
};
