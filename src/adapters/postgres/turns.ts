/** Work that takes turns: at most so many at once, the others in the order in which they came. */
export const turns = (atOnce: number): (<Value>(work: () => Promise<Value>) => Promise<Value>) => {
  let free = atOnce;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
};
