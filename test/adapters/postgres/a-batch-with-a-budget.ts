/** Batches of lines of given sizes, straight into the record. */
import { setTimeout as delay } from 'node:timers/promises';
import type { BatchStore } from '../../../src/app/batch-store.ts';
import type { Routing } from '../../../src/app/ports.ts';
import { ANY_TERMS } from '../../../src/core/batch-terms.ts';

/** What a line asks of a lane, in tokens. */
export interface LineSize {
  readonly promptTokens: number;
  readonly mostPromptTokens: number | null;
  readonly outputTokens: number;
}

/** A batch on the pool `small`, whose lines are called `line-1`, `line-2`, … */
export interface BudgetedBatch {
  readonly name: string;
  readonly maxCostNanoDollars: number | null;
  readonly sizes: readonly LineSize[];
  /** From its beginning until its lines are there; 0 unless said. */
  readonly afterMs?: number;
}

/** Takes it in; answers its id. */
export const takeInSizes = async (
  store: BatchStore,
  routing: Routing,
  { name, maxCostNanoDollars, sizes, afterMs = 0 }: BudgetedBatch,
): Promise<number> => {
  const rows = sizes.map((size, index) => ({
    ...size,
    lineNumber: index + 1,
    customId: `line-${index + 1}`,
    line: '{}',
    poolName: 'small',
    outputIsAsked: true,
    state: 'pending' as const,
  }));
  const batch = {
    identity: name,
    name,
    task: null,
    policy: null,
    maxCostNanoDollars,
    terms: ANY_TERMS,
    deadlineText: null,
    outputPath: null,
    errorPath: null,
    isServed: true,
  };
  async function* late() {
    if (afterMs > 0) await delay(afterMs);
    yield rows;
  }
  const taken = await store.ingest(batch, routing, late(), () => '{}');
  if (taken.kind === 'no-good-line') throw new Error('Expected the batch to be taken in, but it was not.');
  return taken.batch.id;
};
