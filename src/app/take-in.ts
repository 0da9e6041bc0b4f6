/** Finds the batch that a submission is about in the record, or reads its lines into it. */
import { duplicateLine, MAX_LINE_BYTES } from '../core/lines/bad-line.ts';
import { badLine } from '../core/lines/output-line.ts';
import { policyOf } from '../core/policy.ts';
import { taskOf } from '../core/tasks/task-spec.ts';
import type { Task } from '../core/tasks/task.ts';
import { newTerms, wantedTerms } from './adopt-terms.ts';
import { requireKnownNames, requireServing } from './batch-policy.ts';
import { BatchRefused, type BatchInput, type IngestStatus, type Submission } from './batches.ts';
import type { Batch, BatchStore, IngestRow } from './batch-store.ts';
import type { Clock, Routing } from './ports.ts';
import { linesDone } from './progress.ts';
import { lineId, type RawLine, type Reasons, RequestReader } from './read-requests.ts';
import { type TakenIn, takeUp } from './take-up.ts';
import type { Tokenizer } from './token-counter.ts';

/** Where documents go unless a pool is named. */
export const DOCUMENT_POOL = 'small';
/** How often it is told how far the reading is. */
const TELL_EVERY_MS = 500;

/** What taking in needs. */
export interface TakeInTools {
  readonly store: BatchStore;
  readonly routing: Routing;
  readonly clock: Clock;
  /** Cuts bytes into lines; of those that are longer only the length is kept. */
  readonly readLines: (chunks: AsyncIterable<Buffer>, mostBytes: number) => AsyncIterable<readonly RawLine[]>;
  /** Measures what is read; open only as long as that takes. */
  readonly tokenizer: Tokenizer;
  /** SHA-256 in hex. */
  readonly sha256: (text: string) => string;
  /** Ids of providers and lanes that a policy may name although they are not on here. */
  readonly knownNames: readonly string[];
  /** Whether the batch belongs to a service, rather than to the run that submits it. */
  readonly isServed: boolean;
}

/** Who is told how far the reading is, and what stops it: nothing remains of a batch that was not read to its end. */
export interface TakeInListener {
  readonly tell: (status: IngestStatus) => void;
  readonly signal: AbortSignal;
}

/**
 * The batch of this submission: the one the record knows, or a new one.
 *
 * @throws BatchRefused for a pool, a task, a policy or terms that are none, a policy or a budget that leaves no lane, an input without a good
 *   line, or an output that belongs to another unfinished batch.
 */
export const takeIn = async (
  tools: TakeInTools,
  submission: Submission,
  input: BatchInput,
  listener: TakeInListener,
): Promise<TakenIn> => {
  const { store, routing, tokenizer, sha256, isServed } = tools;
  requireName(submission.name);
  const task = readTask(submission);
  if (submission.pool !== null) requirePool(routing, submission.pool);
  const policy = policyOf(submission.policy ?? {});
  if (policy !== null) requireKnownNames(policy, routing, tools.knownNames);
  const wanted = await wantedTerms(store, submission.terms);
  const identity = sha256(identityText({ ...submission, policy }, task, input.hash));
  const known = await store.findByIdentity(identity);
  if (known !== null && !submission.fresh) return await takeUp(tools, known, { submission, wanted });
  const { name, outputPath, errorPath, maxCostNanoDollars } = submission;
  requireServing({ policy, maxCostNanoDollars }, routing, submission.pool);
  const inForce = newTerms(wanted, tools.clock.nowMs());
  const twin = await makeRoom(store, submission, known, identity);
  if (twin !== null) return await takeUp(tools, twin, { submission, wanted });
  using tokens = tokenizer.open();
  const reader = new RequestReader(
    {
      task,
      pool: submission.pool,
      policy,
      maxCostNanoDollars,
      limit: submission.limit,
      documentPool: DOCUMENT_POOL,
      resolveModel: (model) => routing.resolveModel(model),
    },
    routing,
    tokens,
  );
  const taken = await store.ingest(
    { identity, name, task, policy, maxCostNanoDollars, ...inForce, outputPath, errorPath, isServed },
    routing,
    toldRows(tools, reader, input, listener),
    (line, id, first) => badLine(lineId(line), duplicateLine(line, id, first)),
  );
  if (taken.kind === 'no-good-line')
    throw new BatchRefused('invalid', noGoodLine(input.shownAs, reader.reasons));
  const { reasons } = reader;
  // Somebody else took it in meanwhile.
  if (taken.kind === 'exists')
    return { ...(await takeUp(tools, taken.batch, { submission, wanted })), reasons };
  return { batch: taken.batch, reasons, isKnown: false, formerTerms: null };
};

/** Long enough for any file's name. */
const LONGEST_NAME = 1_000;

const requireName = (name: string): void => {
  if (name.trim() !== '' && name.length <= LONGEST_NAME && !name.includes('\0')) return;
  throw new BatchRefused(
    'invalid',
    `Expected a batch's name to be 1 to ${LONGEST_NAME} characters without a NUL, got ${name.length} ${name.includes('\0') ? 'with one' : 'of them'}. Choose another name.`,
  );
};

/** @throws BatchRefused for a task that is none. */
export const readTask = ({ task }: Pick<Submission, 'task'>): Task | null => {
  if (task === null) return null;
  const made = taskOf(task);
  if (made.kind === 'invalid') throw new BatchRefused('invalid', made.message);
  return made;
};

/** @throws BatchRefused unless the name stands for at least one lane. */
export const requirePool = (routing: Routing, name: string): void => {
  const found = routing.resolveModel(name);
  if (found.kind === 'lanes' && found.laneIds.length > 0) return;
  const nearest = found.kind === 'lanes' ? [] : found.nearest;
  const hint =
    nearest.length === 0
      ? `Pools: ${routing.pools.map((pool) => pool.name).join(', ')}.`
      : `Did you mean ${nearest.join(' or ')}?`;
  throw new BatchRefused(
    'invalid',
    `Expected the pool to be a pool, alias, lane or model, got ${JSON.stringify(name)}. ${hint}`,
  );
};

/** A batch is known by its input, its task and its policy. Batches of before there were policies keep their identity. */
export const identityText = (
  { pool, limit, identityName, policy }: Pick<Submission, 'pool' | 'limit' | 'identityName' | 'policy'>,
  task: Task | null,
  inputHash: string,
): string =>
  JSON.stringify([
    inputHash,
    task?.taskKey ?? null,
    pool,
    limit,
    identityName,
    ...(policy === null ? [] : [policy]),
  ]);

/** Removes what is given up; answers the same batch where another process has taken it in since it was looked for. */
const makeRoom = async (
  store: BatchStore,
  submission: Submission,
  known: Batch | null,
  identity: string,
): Promise<Batch | null> => {
  const { outputPath, fresh } = submission;
  const other = outputPath === null ? null : await store.findUnfinishedByOutput(outputPath);
  if (other?.identity === identity && !fresh) return other;
  if (other !== null && !fresh) {
    throw new BatchRefused(
      'conflict',
      `Expected ${outputPath} to be free, but it belongs to the unfinished batch "${other.name}" of another input, task or pool ` +
        `(${linesDone(other)} of ${other.total} lines done). Finish that one with its own command, choose another --out, ` +
        'or add --fresh to give it up and begin anew.',
    );
  }
  for (const batch of [known, other]) if (batch !== null) await store.remove(batch.id);
  return null;
};

async function* toldRows(
  { clock, readLines }: TakeInTools,
  reader: RequestReader,
  input: BatchInput,
  { tell, signal }: TakeInListener,
): AsyncGenerator<readonly IngestRow[]> {
  let nextTellMs = 0;
  for await (const rows of reader.rows(readLines(input.open(), MAX_LINE_BYTES))) {
    signal.throwIfAborted();
    if (clock.nowMs() >= nextTellMs) {
      nextTellMs = clock.nowMs() + TELL_EVERY_MS;
      tell({
        lines: reader.goodCount + reader.reasons.count,
        bytesRead: input.bytesRead(),
        bytes: input.byteLength,
      });
    }
    yield rows;
  }
}

/** What is said of an input without a line that can run. */
export const noGoodLine = (shownAs: string, { first, count }: Reasons): string =>
  count === 0
    ? `Expected ${shownAs} to hold at least one line, got none. Write one JSON object per line.`
    : `Expected ${shownAs} to hold at least one line that can run, got none in ${count}:\n` +
      first.map((reason) => `  ${reason}`).join('\n') +
      (count > first.length ? `\n  … and ${count - first.length} more` : '');
