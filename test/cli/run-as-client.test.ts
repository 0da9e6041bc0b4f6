/** What a run at a service makes of what the service tells it, and of what it does not. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Batch } from '../../src/app/batch-store.ts';
import { type Batches, BatchRefused, type BatchStatus } from '../../src/app/batches.ts';
import type { LaneProgress } from '../../src/app/progress.ts';
import { quietDisplay } from '../../src/cli/display/run-display.ts';
import { runAsClient } from '../../src/cli/run-as-client.ts';
import { CannotRun } from '../../src/cli/run-request.ts';
import { aBatch } from '../app/fakes.ts';
import { fakeBatches } from '../adapters/http/fake-batches.ts';
import { NOTHING_ASKED } from '../contracts/batches-under-test.ts';
import { aLane, aProgress, NOW_MS } from './a-progress-view.ts';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nightshift-client-'));
  await writeFile(join(directory, 'docs.jsonl'), '{}\n');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const IDLE = 'No live worker serves any lane of this batch.';

/** A look at the batch, which may use the lane `groq/small`. */
const look = (lanes: readonly LaneProgress[], batch: Partial<Batch> = {}): BatchStatus => ({
  progress: aProgress(batch, lanes),
  laneIds: lanes.map(({ laneId }) => laneId).filter((laneId) => laneId === 'groq/small'),
  warnings: lanes.some(({ workers }) => workers > 0) ? [] : [IDLE],
});

const FINAL = look([aLane()], { succeeded: 4 });
/** More than a batch that stands still for good is looked at. */
const MANY_LOOKS = 7;
const many = (status: BatchStatus): readonly BatchStatus[] =>
  Array.from({ length: MANY_LOOKS }, () => status);

/** Runs at a service that gives these answers, the last one again and again. */
const run = async (answers: readonly (BatchStatus | Error)[]) => {
  const said: string[] = [];
  let asked = 0;
  const batches: Batches = {
    ...fakeBatches(),
    submit: async () => ({
      batch: aBatch(),
      reasons: { first: [], count: 0 },
      isKnown: false,
      formerTerms: null,
      notices: [],
    }),
    status: async () => {
      const answer = answers[Math.min(asked, answers.length - 1)] ?? FINAL;
      asked += 1;
      if (answer instanceof Error) throw answer;
      return answer;
    },
    async *results() {
      yield [{ succeeded: true, line: '{}' }];
    },
    laneTotals: async () => [],
  };
  const { signal } = new AbortController();
  const { kind } = await runAsClient(
    {
      batches,
      spoolDirectory: directory,
      listener: quietDisplay((message) => void said.push(message)),
      interruption: { drain: signal, abort: signal },
    },
    {
      input: join(directory, 'docs.jsonl'),
      output: join(directory, 'out.jsonl'),
      errors: join(directory, 'errors.jsonl'),
      task: null,
      pool: null,
      policy: null,
      maxCostNanoDollars: null,
      terms: NOTHING_ASKED,
      name: 'docs',
      limit: null,
      fresh: false,
    },
  );
  return { kind, said };
};

describe('a run at a service', { timeout: 20_000 }, () => {
  it.each([
    ['no lane is known of', []],
    ['no lane has a worker', [aLane({ workers: 0, closing: aKeyClosing() })]],
  ])('waits while %s, and says once what the service warns of', async (_, lanes) => {
    const { kind, said } = await run([...many(look(lanes)), look([aLane()]), FINAL]);
    expect([kind, said]).toEqual(['finished', [`warning: ${IDLE}`]]);
    expect(await readFile(join(directory, 'out.jsonl'), 'utf8')).toBe('{}\n');
  });

  it('waits for a service that is away for a moment, and says so once', async () => {
    const away = new BatchRefused('unready', 'The record is away for a moment.');
    const { kind, said } = await run([look([aLane()]), away, away, FINAL]);
    expect([kind, said]).toEqual(['finished', ['waiting for the service: The record is away for a moment.']]);
  });

  it('gives up where workers are at work and no lane may serve what is left', async () => {
    await expect(run([look([aLane({ laneId: 'groq/large' })])])).rejects.toThrow(CannotRun);
  });
});

function aKeyClosing(): NonNullable<LaneProgress['closing']> {
  return { scope: 'groq', untilMs: NOW_MS, kind: 'bad-key', reason: 'x', needsUser: true };
}
