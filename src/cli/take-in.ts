/** Finds the batch that a run is about in the record, or reads its input into it. */
import { createHash } from 'node:crypto';
import { openInput } from '../adapters/files/open-input.ts';
import { readLines } from '../adapters/files/read-lines.ts';
import type { Batch } from '../app/ports.ts';
import { lineId, type ReadingPolicy, type Reasons, RequestReader } from '../app/read-requests.ts';
import type { Config } from '../config/config.ts';
import { resolveModel } from '../config/resolve-model.ts';
import { duplicateLine, MAX_LINE_BYTES } from '../core/lines/bad-line.ts';
import { badLine } from '../core/lines/output-line.ts';
import type { Nightshift } from '../wire.ts';
import { CannotRun, type RunListener, type RunRequest } from './run-request.ts';

/** Where documents go unless `--pool` says otherwise. */
const DOCUMENT_POOL = 'small';
/** How often it is told how far the reading is. */
const TELL_EVERY_MS = 500;

/** The batch of this request: the one the record knows, or a new one. */
export const takeIn = async (
  { store, routing, clock }: Nightshift,
  config: Config,
  request: RunRequest,
  listener: RunListener,
  signal: AbortSignal,
): Promise<Batch> => {
  await using input = await openInput(request.input, config.dataDirectory, signal);
  const identity = identityOf(request, input.hash);
  const known = await store.findByIdentity(identity);
  if (known !== null && !request.fresh) {
    await store.setOutput(known.id, request.output, request.errors);
    listener.ingested(known, { first: [], count: 0 }, true);
    return known;
  }
  await makeRoom(store, request, known);
  const reader = new RequestReader(readingPolicy(config, request), routing);
  const lines = readLines(input.open(), MAX_LINE_BYTES);
  let nextTellMs = 0;
  const told = (async function* () {
    for await (const rows of reader.rows(lines)) {
      signal.throwIfAborted();
      if (clock.nowMs() >= nextTellMs) {
        nextTellMs = clock.nowMs() + TELL_EVERY_MS;
        listener.ingesting({
          lines: reader.goodCount + reader.reasons.count,
          bytesRead: input.bytesRead(),
          bytes: input.byteLength,
        });
      }
      yield rows;
    }
  })();
  const { task, name, output, errors } = request;
  const taken = await store.ingest(
    { identity, name, task, outputPath: output, errorPath: errors },
    told,
    (line, id, first) => badLine(lineId(line), duplicateLine(line, id, first)),
  );
  if (taken.kind === 'no-good-line') throw new CannotRun(noGoodLine(request.input, reader.reasons));
  listener.ingested(taken.batch, reader.reasons, taken.kind === 'exists');
  return taken.batch;
};

/** A batch is known by its input, its task and its policy. */
const identityOf = ({ task, pool, limit, input, name }: RunRequest, inputHash: string): string =>
  createHash('sha256')
    .update(JSON.stringify([inputHash, task?.taskKey ?? null, pool, limit, input === '-' ? name : null]))
    .digest('hex');

const readingPolicy = (config: Config, { task, pool, limit }: RunRequest): ReadingPolicy => ({
  task,
  pool,
  limit,
  documentPool: DOCUMENT_POOL,
  resolveModel: (name) => {
    const found = resolveModel(config, name);
    return found.kind === 'lanes' ? found : { kind: 'unknown', nearest: found.nearest };
  },
});

const makeRoom = async (
  store: Nightshift['store'],
  request: RunRequest,
  known: Batch | null,
): Promise<void> => {
  const other = await store.findUnfinishedByOutput(request.output);
  if (other !== null && !request.fresh) {
    throw new CannotRun(
      `Expected ${request.output} to be free, but it belongs to the unfinished batch "${other.name}" of another input, task or pool ` +
        `(${other.succeeded + other.failed + other.bad} of ${other.total} lines done). Finish that one with its own command, choose another --out, ` +
        'or add --fresh to give it up and begin anew.',
    );
  }
  for (const batch of [known, other]) if (batch !== null) await store.remove(batch.id);
};

const noGoodLine = (input: string, { first, count }: Reasons): string =>
  count === 0
    ? `Expected ${input === '-' ? 'standard input' : input} to hold at least one line, got none. Write one JSON object per line.`
    : `Expected ${input === '-' ? 'standard input' : input} to hold at least one line that can run, got none in ${count}:\n` +
      first.map((reason) => `  ${reason}`).join('\n') +
      (count > first.length ? `\n  … and ${count - first.length} more` : '');
