/** Two stages side by side: while one works on an item, the other makes the next. */

/**
 * The items of `source`, each asked for while the one before is used: one more is made than is taken, if it is left
 * early. What `source` throws comes in its place.
 */
export async function* oneAhead<T>(source: AsyncGenerator<T, void>): AsyncGenerator<T, void> {
  let next = ask(source);
  try {
    for (;;) {
      const answer = await next;
      if (answer.done === true) return;
      next = ask(source);
      yield answer.value;
    }
  } finally {
    await next.catch(() => {});
    await source.return();
  }
}

/** Asked for before anybody awaits it: an early failure is not an unhandled one. */
const ask = <T>(source: AsyncGenerator<T, void>): Promise<IteratorResult<T, void>> => {
  const answer = source.next();
  answer.catch(() => {});
  return answer;
};
