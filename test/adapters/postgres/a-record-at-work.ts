/** A record with one live worker, batches on it, and a way to make single calls on its lanes by hand. */
import { createHash } from 'node:crypto';
import { readLines } from '../../../src/adapters/files/read-lines.ts';
import { postgresBatchStore } from '../../../src/adapters/postgres/batch-store.ts';
import { postgresExplainReader } from '../../../src/adapters/postgres/explain-reader.ts';
import { postgresForecastBook } from '../../../src/adapters/postgres/forecast-book.ts';
import { postgresGrantLedger } from '../../../src/adapters/postgres/grant-ledger.ts';
import { postgresHealthBook } from '../../../src/adapters/postgres/health-book.ts';
import { postgresNoticeBook } from '../../../src/adapters/postgres/notice-book.ts';
import { postgresProcessRegistry } from '../../../src/adapters/postgres/process-registry.ts';
import { postgresProgressReader } from '../../../src/adapters/postgres/progress-reader.ts';
import { openRecordClock } from '../../../src/adapters/postgres/record-clock.ts';
import { syncConfiguration } from '../../../src/adapters/postgres/sync-configuration.ts';
import { announcementOf } from '../../../src/app/announce.ts';
import type { Submission } from '../../../src/app/batches.ts';
import { endOpenLines } from '../../../src/app/cancel.ts';
import type { Batch } from '../../../src/app/batch-store.ts';
import type { BegunCall, FinishedCall, Granted } from '../../../src/app/ledger.ts';
import type { ProviderReply, Routing } from '../../../src/app/ports.ts';
import { recordBatches } from '../../../src/app/record-batches.ts';
import { CallFailed, runSlice } from '../../../src/app/run-slice.ts';
import type { Lane } from '../../../src/core/model.ts';
import { parseLoosely, stringAt } from '../../../src/core/json/loose-json.ts';
import { ANSWER, refusal } from '../../app/a-slice-to-run.ts';
import { fakeTokenizer } from '../../app/fake-tokenizer.ts';
import { aLane, aProvider, recordingLog, routingFor } from '../../app/fakes.ts';
import { documents, inputOf, submissionTo } from '../../contracts/batches-under-test.ts';
import type { TestRecord } from '../../postgres-fixture.ts';

/** Two providers; lines go to `small`, and to `large` when somebody says so. */
export const ROUTING = routingFor(
  [
    aProvider([aLane('alpha/small'), aLane('alpha/large', { contextTokens: 131_072 })]),
    aProvider([aLane('beta/small')]),
  ],
  [
    { name: 'small', laneIds: ['alpha/small', 'beta/small'] },
    { name: 'alone', laneIds: ['alpha/small'] },
    { name: 'large', laneIds: ['alpha/large'] },
  ],
);

/** No lane will have this: the request is at fault. */
export const REFUSED = refusal(400, 'Invalid value for messages');
/** It may work later, or elsewhere. */
export const BROKEN = refusal(500, 'oops');
export { ANSWER };

/** A call of a second that went well; whose, the test says. */
export const SUCCEEDED: FinishedCall = {
  grantId: 0,
  outcome: 'succeeded',
  reason: null,
  usage: { promptTokens: 100, completionTokens: 20 },
  sentAtMs: null,
  durationMs: 1_000,
  settlement: 'usage',
  countsAsTry: true,
  next: { kind: 'succeeded', line: '{}' },
  excluded: [],
  avoided: [],
  droppedParameters: [],
  outputCapTokens: null,
  told: null,
};

/** A record at work; dispose of it before the record goes. */
export type RecordAtWork = Awaited<ReturnType<typeof openRecordAtWork>>;

/** Opens it, with a worker on every lane of the routing. */
export const openRecordAtWork = async ({ pool, address }: TestRecord, routing: Routing = ROUTING) => {
  await using stack = new AsyncDisposableStack();
  await syncConfiguration(pool, routing, new Map());
  const store = postgresBatchStore(pool);
  const ledger = postgresGrantLedger(pool);
  const health = postgresHealthBook(pool, () => null);
  const processes = postgresProcessRegistry(address, pool, () => {});
  const clock = stack.use(await openRecordClock(pool));
  const progress = postgresProgressReader(pool, store, health, postgresForecastBook(pool));
  const explain = postgresExplainReader(pool);
  const seat = await processes.join(
    announcementOf({ roles: ['dispatcher', 'worker'], routing, configHash: 'test' }),
  );
  stack.defer(() => seat.leave());
  const batches = recordBatches({
    store,
    health,
    progress,
    explain,
    processes,
    clock,
    readLines,
    tokenizer: fakeTokenizer,
    routing: async () => routing,
    sha256: (text) => createHash('sha256').update(text).digest('hex'),
    noticeBook: postgresNoticeBook(pool),
    factsOf: () => undefined,
    knownNames: [],
    isServed: true,
    cancelPatienceMs: 5_000,
    sweep: () => ledger.sweep(),
  });

  const grant = async (laneId: string, atMost = 256): Promise<Granted> =>
    await ledger.grant({ lane: laneOf(routing, laneId), targetTokens: 100_000, wishes: null, atMost });

  /** Grants this line alone on the lane; all others that were granted go back. */
  const grantLine = async (batchId: number, laneId: string, customId: string): Promise<number> => {
    const granted: number[] = [];
    // Where several batches wait, each is granted a part at a time.
    for (let isMore = true; isMore;) {
      const { slices, stoppedBy } = await grant(laneId);
      granted.push(...slices.flat());
      isMore = slices.length > 0 && stoppedBy === '';
    }
    const { rows } = await pool.query<{ grant_id: number }>(
      "SELECT grant_id FROM request WHERE batch_id = $1 AND custom_id = $2 AND state = 'granted'",
      [batchId, customId],
    );
    const mine = rows[0]?.grant_id ?? null;
    await pool.query('SELECT release_grants($1, $2)', [granted.filter((id) => id !== mine), 'a test']);
    if (mine === null) throw new Error(`Expected ${laneId} to be granted the line ${customId}, got nothing.`);
    return mine;
  };

  /** Makes the call of a grant, which the provider answers like this. Failures are in the record. */
  const runGrant = async (
    grantId: number,
    reply: ProviderReply | (() => Promise<ProviderReply>),
  ): Promise<void> =>
    await runSlice(
      {
        begin: (slice) => ledger.begin(slice, seat.id),
        pastOf: (id) => ledger.pastOf(id),
        finish: (call) => ledger.finish([call]),
        health: { ...health, close: async () => {}, sick: async () => {}, gone: async () => {} },
        provider: { chat: async () => (typeof reply === 'function' ? await reply() : reply) },
        routing,
        clock,
        log: recordingLog(),
        random01: () => 0.5,
        signal: new AbortController().signal,
      },
      [grantId],
    ).catch((error: unknown) => {
      if (!(error instanceof CallFailed)) throw error;
    });

  /** Starts the call of a grant, which its provider answers when it is told to; that resolves when the call is over. */
  const startCall = async (grantId: number): Promise<(reply: ProviderReply) => Promise<void>> => {
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<ProviderReply>();
    const ended = runGrant(grantId, async () => {
      asked.resolve();
      return await answer.promise;
    });
    await asked.promise;
    return async (reply) => {
      answer.resolve(reply);
      await ended;
    };
  };

  const opened = stack.move();
  return {
    pool,
    routing,
    store,
    ledger,
    health,
    batches,
    clock,
    processId: () => seat.id,
    grant,
    grantLine,
    runGrant,
    startCall,
    begin: (grantIds: readonly number[]): Promise<readonly BegunCall[]> => ledger.begin(grantIds, seat.id),
    async submit(ids: readonly string[], changes: Partial<Submission> = {}): Promise<Batch> {
      const { batch } = await batches.submit(
        submissionTo('alone', changes),
        inputOf(documents(...ids)),
        () => {},
        new AbortController().signal,
      );
      return batch;
    },
    /** Grants and calls one line. */
    async call(batchId: number, laneId: string, customId: string, reply: ProviderReply): Promise<void> {
      await runGrant(await grantLine(batchId, laneId, customId), reply);
    },
    /** Ends the open lines of batches that are being cancelled or expire, as housekeeping does. */
    async endLines(): Promise<void> {
      for (const batchId of await store.endingIds())
        await endOpenLines(store, batchId, new AbortController().signal);
    },
    /** The batch, read again. */
    async batch(batchId: number): Promise<Batch> {
      const batch = await store.find(batchId);
      if (batch === null) throw new Error(`Expected the batch ${batchId}, found none.`);
      return batch;
    },
    /** The line's final line, parsed; `undefined` while it has none. */
    async finalLine(batchId: number, customId: string): Promise<unknown> {
      const pages = await Array.fromAsync(store.finalLines(batchId));
      return pages
        .flat()
        .map(({ line }) => parseLoosely(line))
        .find((line) => stringAt(line, 'custom_id') === customId);
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
};

const laneOf = (routing: Routing, laneId: string): Lane => {
  const lane = routing.lane(laneId);
  if (lane === undefined) throw new Error(`Expected a lane of the test, got ${laneId}.`);
  return lane;
};
