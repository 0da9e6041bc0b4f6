/** Reads and measures an input exactly as taking it in would, and keeps counts and sums instead of its lines. */
import { duplicateLine, MAX_LINE_BYTES } from '../core/lines/bad-line.ts';
import { startTally, type TalliedCell } from '../core/plan/tally.ts';
import { policyOf } from '../core/policy.ts';
import type { Task } from '../core/tasks/task.ts';
import { requireKnownNames, requireServing } from './batch-policy.ts';
import { type BatchInput, BatchRefused, type Submission } from './batches.ts';
import type { IngestRow } from './batch-store.ts';
import { rememberFirstLines } from './first-lines.ts';
import { REASONS_SHOWN, type Reasons, RequestReader } from './read-requests.ts';
import {
  DOCUMENT_POOL,
  identityText,
  noGoodLine,
  readTask,
  requirePool,
  type TakeInListener,
  type TakeInTools,
} from './take-in.ts';

/** What measuring needs. */
export type MeasuringTools = Pick<
  TakeInTools,
  'routing' | 'readLines' | 'tokenizer' | 'sha256' | 'knownNames'
>;

/** What would be asked of a batch. With a budget, what only paid lanes can take is good, too. */
export type Question = Pick<
  Submission,
  'task' | 'pool' | 'policy' | 'limit' | 'identityName' | 'maxCostNanoDollars'
>;

/** An input in counts and sums. */
export interface MeasuredInput {
  /** What a batch of this input, task and policy is known by in the record. */
  readonly identity: string;
  /** Lines that can run, by the name that each is routed by. */
  readonly cells: ReadonlyMap<string, readonly TalliedCell[]>;
  /** The same of lines that no lane of their pool can ever take. They are among the bad ones. */
  readonly tooLarge: ReadonlyMap<string, readonly TalliedCell[]>;
  readonly good: number;
  readonly bad: Reasons;
}

/**
 * Measures. Nothing is stored and nothing is sent.
 *
 * @throws BatchRefused for whatever taking it in would be refused for: a pool, a task or a policy that is none, or an
 *   input without a good line.
 */
export const measureInput = async (
  tools: MeasuringTools,
  question: Question,
  input: BatchInput,
  listener: TakeInListener,
): Promise<MeasuredInput> => {
  const { routing } = tools;
  const task = readTask(question);
  if (question.pool !== null) requirePool(routing, question.pool);
  const policy = policyOf(question.policy ?? {});
  if (policy !== null) requireKnownNames(policy, routing, tools.knownNames);
  requireServing({ policy, maxCostNanoDollars: question.maxCostNanoDollars }, routing, question.pool);
  const counted = await countLines(tools, { ...question, policy }, task, input, listener);
  if (counted.good === 0) throw new BatchRefused('invalid', noGoodLine(input.shownAs, counted.bad));
  return { ...counted, identity: tools.sha256(identityText({ ...question, policy }, task, input.hash)) };
};

const countLines = async (
  { routing, tokenizer, readLines }: MeasuringTools,
  { pool, policy, limit, maxCostNanoDollars }: Question,
  task: Task | null,
  input: BatchInput,
  listener: TakeInListener,
): Promise<Omit<MeasuredInput, 'identity'>> => {
  using tokens = tokenizer.open();
  const [tally, tooLarge, duplicates] = [startTally(), startTally(), watchDuplicates()];
  const reader = new RequestReader(
    {
      task,
      pool,
      policy,
      maxCostNanoDollars,
      limit,
      documentPool: DOCUMENT_POOL,
      resolveModel: (model) => routing.resolveModel(model),
      tooLarge: (name, need) => tooLarge.add(name, need),
    },
    routing,
    tokens,
  );
  for await (const rows of reader.rows(readLines(input.open(), MAX_LINE_BYTES))) {
    listener.signal.throwIfAborted();
    const lines = reader.goodCount + reader.reasons.count;
    listener.tell({ lines, bytesRead: input.bytesRead(), bytes: input.byteLength });
    for (const row of rows) {
      if (row.poolName !== null && !duplicates.has(row)) tally.add(row.poolName, row);
    }
  }
  const bad = duplicates.among(reader.reasons);
  return {
    cells: tally.cells(),
    tooLarge: tooLarge.cells(),
    good: reader.goodCount - duplicates.count(),
    bad,
  };
};

/** Of equal custom ids the first good line counts, as in the record. */
const watchDuplicates = () => {
  const firstLines = rememberFirstLines();
  const reasons: string[] = [];
  let count = 0;
  return {
    count: () => count,
    has({ customId, lineNumber }: IngestRow): boolean {
      if (customId === null) return false;
      const first = firstLines.firstOf(customId, lineNumber);
      if (first === lineNumber) return false;
      count += 1;
      const { code, message } = duplicateLine(lineNumber, customId, first);
      if (reasons.length < REASONS_SHOWN) reasons.push(`line ${lineNumber}: ${code}: ${message}`);
      return true;
    },
    among: (others: Reasons): Reasons => ({
      first: [...others.first, ...reasons].slice(0, REASONS_SHOWN),
      count: others.count + count,
    }),
  };
};
