/** What the tests of a block share, laid anew after a failure: neither the next test nor a second try meets its traces. */
import { afterAll, afterEach, beforeEach } from 'vitest';

/** Lays the ground of a block's tests before the first of them, and again after each that fails. */
export const onCommonGround = (lay: (ground: AsyncDisposableStack) => Promise<void>): void => {
  let ground: AsyncDisposableStack | null = null;
  const clear = async (): Promise<void> => {
    const old = ground;
    ground = null;
    await old?.disposeAsync();
  };
  beforeEach(async () => {
    if (ground !== null) return;
    ground = new AsyncDisposableStack();
    await lay(ground);
  });
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail') await clear();
  });
  afterAll(clear);
};
