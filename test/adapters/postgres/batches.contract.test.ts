/** {@link Batches} on the record itself, by the suite that every implementation passes. */
import { batchesContract } from '../../contracts/batches-contract.ts';
import type { BatchesUnderTest } from '../../contracts/batches-under-test.ts';
import { openNamedRecord } from '../../postgres-fixture.ts';
import { ANSWER, openRecordAtWork, REFUSED } from './a-record-at-work.ts';

const LANE = 'alpha/small';

const open = async (): Promise<BatchesUnderTest> => {
  await using stack = new AsyncDisposableStack();
  const record = stack.use(await openNamedRecord('the suite of batches'));
  const work = stack.use(await openRecordAtWork(record));
  const opened = stack.move();
  return {
    batches: work.batches,
    pool: 'alone',
    laneId: LANE,
    async finish(batchId, lines) {
      for (const { customId, succeeds } of lines)
        await work.call(batchId, LANE, customId, succeeds ? ANSWER : REFUSED);
    },
    async settle() {
      await work.endLines();
      await work.ledger.sweep();
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
};

batchesContract('the record', open);
