/** {@link Batches} in memory: what the contract asks for and nothing more. Lines become final when a test says so. */
import {
  type Batches,
  type BatchInput,
  BatchRefused,
  type ResultQuery,
  type Submission,
} from '../../../src/app/batches.ts';
import {
  areSameTerms,
  newTerms,
  requireTerms,
  termsAfter,
  type TermsInForce,
} from '../../../src/app/adopt-terms.ts';
import type { Batch } from '../../../src/app/batch-store.ts';
import type { LaneProgress } from '../../../src/app/progress.ts';
import { parseLoosely, stringAt } from '../../../src/core/json/loose-json.ts';
import { badLine, failedLine, successLine } from '../../../src/core/lines/output-line.ts';
import { taskOf } from '../../../src/core/tasks/task-spec.ts';
import { policyOf } from '../../../src/core/policy.ts';
import type { FinishedLine } from '../../contracts/batches-under-test.ts';
import { FAKE_LANE, FAKE_NOTICE, FAKE_POOL, LANE, NOW_MS, requirePolicy } from './fake-lane.ts';

type LineState = 'pending' | 'succeeded' | 'failed' | 'cancelled' | 'bad';

interface FakeLine {
  readonly customId: string | null;
  state: LineState;
  /** While it is not pending. */
  finalLine: string;
  /** Later than every line that was final before. */
  finalAt: number;
}

interface FakeBatch {
  readonly id: number;
  readonly identity: string;
  submission: Submission;
  readonly lines: FakeLine[];
  inForce: TermsInForce;
  isPaused: boolean;
  isCancelled: boolean;
}

/** The fake, and the hand that moves it. */
export interface FakeBatches extends Batches {
  finish(batchId: number, lines: readonly FinishedLine[]): Promise<void>;
}

/** Lines of one page of results. */
const PAGE_LINES = 2;

/** Nothing is in it at first. */
export const fakeBatches = (): FakeBatches => {
  const known = new Map<number, FakeBatch>();
  let nextId = 1;
  let finalCount = 0;
  let isLanePaused = false;
  let isTold = false;

  const find = (ref: string): FakeBatch => {
    const found = [...known.values()].findLast(
      ({ id, submission }) => submission.name === ref || String(id) === ref || `id:${id}` === ref,
    );
    if (found === undefined)
      throw new BatchRefused('not-found', `Expected a batch, got ${JSON.stringify(ref)}.`);
    return found;
  };
  const findOpen = (ref: string): FakeBatch => {
    const batch = find(ref);
    if (batch.isCancelled || viewOf(batch).state !== 'in_progress') {
      throw new BatchRefused('conflict', `Expected a batch in progress, got ${viewOf(batch).state}.`);
    }
    return batch;
  };
  const end = (line: FakeLine, state: LineState, finalLine: string): void => {
    finalCount += 1;
    Object.assign(line, { state, finalLine, finalAt: finalCount });
  };
  const noticesNow = (): readonly string[] => (isTold ? [] : [FAKE_NOTICE]);
  const laneNow = (): LaneProgress => ({ ...LANE, isPaused: isLanePaused });
  const setLanePaused = (laneId: string, isPaused: boolean): void => {
    if (laneId !== FAKE_LANE) throw new BatchRefused('not-found', `Expected a lane, got ${laneId}.`);
    isLanePaused = isPaused;
  };

  return {
    async submit(submission, input, tell, signal) {
      requirePool(submission.pool);
      requirePolicy(submission.policy);
      const wanted = requireTerms(submission.terms);
      const identity = identityOf(submission, input);
      const before = [...known.values()].find((batch) => batch.identity === identity);
      if (before !== undefined && !submission.fresh) {
        before.submission = {
          ...before.submission,
          maxCostNanoDollars: submission.maxCostNanoDollars ?? before.submission.maxCostNanoDollars,
        };
        const former = viewOf(before).terms;
        before.inForce = termsAfter(before.inForce, wanted, NOW_MS);
        const batch = viewOf(before);
        return {
          batch,
          reasons: { first: [], count: 0 },
          isKnown: true,
          formerTerms: areSameTerms(former, batch.terms) ? null : former,
          notices: noticesNow(),
        };
      }
      const inForce = newTerms(wanted, NOW_MS);
      const { lines, reasons } = readInput(await textOf(input, signal), submission.limit);
      tell({ lines: lines.length, bytesRead: input.bytesRead(), bytes: input.byteLength });
      if (lines.every(({ state }) => state === 'bad')) {
        throw new BatchRefused('invalid', `Expected a line that can run, got none.\n${reasons.join('\n')}`);
      }
      if (before !== undefined) known.delete(before.id);
      const batch = { id: nextId, identity, submission, lines, inForce, isPaused: false, isCancelled: false };
      nextId += 1;
      known.set(batch.id, batch);
      return {
        batch: viewOf(batch),
        reasons: { first: reasons, count: reasons.length },
        isKnown: false,
        formerTerms: null,
        notices: noticesNow(),
      };
    },
    async list({ atMost, beforeId }) {
      const before = [...known.values()].filter(({ id }) => beforeId === null || id < beforeId);
      return before.toReversed().slice(0, atMost).map(viewOf);
    },
    async status(ref) {
      const batch = viewOf(find(ref));
      const progress = {
        atMs: NOW_MS,
        batch,
        parked: 0,
        nextDueAtMs: null,
        forecast: null,
        underWay: 0,
        lanes: [laneNow()],
        savings: null,
      };
      return { progress, laneIds: [FAKE_LANE], warnings: ['The lane is a fake.'] };
    },
    async *results(ref, query) {
      const lines = resultsOf(find(ref), query);
      for (let start = 0; start < lines.length; start += PAGE_LINES) {
        yield lines
          .slice(start, start + PAGE_LINES)
          .map(({ state, finalLine }) => ({ succeeded: state === 'succeeded', line: finalLine }));
      }
    },
    async cancel(ref) {
      const batch = findOpen(ref);
      batch.isCancelled = true;
      for (const line of batch.lines)
        if (line.state === 'pending') end(line, 'cancelled', cancelledLine(line));
      return viewOf(batch);
    },
    async pause(ref) {
      const batch = findOpen(ref);
      batch.isPaused = true;
      return viewOf(batch);
    },
    async resume(ref) {
      const batch = findOpen(ref);
      batch.isPaused = false;
      return viewOf(batch);
    },
    async retry(ref, { pool }) {
      const batch = find(ref);
      requirePool(pool);
      const again = batch.lines.filter(({ state }) => state === 'failed' || state === 'cancelled');
      if (again.length === 0) throw new BatchRefused('conflict', 'Expected failed lines, got none.');
      for (const line of again) line.state = 'pending';
      batch.isCancelled = false;
      return { batch: viewOf(batch), lines: again.length, notices: noticesNow() };
    },
    async markTold(notices) {
      isTold ||= notices.includes(FAKE_NOTICE);
    },
    async laneTotals(ref) {
      const called = find(ref).lines.filter(({ state }) => state === 'succeeded' || state === 'failed');
      const succeeded = called.filter(({ state }) => state === 'succeeded').length;
      const total = { laneId: FAKE_LANE, calls: called.length, succeeded, rejected: 0 };
      return called.length === 0 ? [] : [{ ...total, promptTokens: 9, completionTokens: 1 }];
    },
    lanes: async () => [laneNow()],
    pauseLane: async (laneId) => setLanePaused(laneId, true),
    resumeLane: async (laneId) => setLanePaused(laneId, false),
    async finish(batchId, finished) {
      for (const { customId, succeeds } of finished) {
        const line = find(String(batchId)).lines.find(
          (candidate) => candidate.customId === customId && candidate.state === 'pending',
        );
        if (line === undefined) throw new Error(`Expected an open line ${customId}, got none.`);
        end(line, succeeds ? 'succeeded' : 'failed', calledLine(customId, succeeds));
      }
    },
  };
};

const requirePool = (pool: string | null): void => {
  if (pool === null || pool === FAKE_POOL || pool === FAKE_LANE) return;
  throw new BatchRefused('invalid', `Expected a pool, got ${pool}.`);
};

const identityOf = (
  { task, pool, policy, limit, identityName }: Submission,
  { hash }: BatchInput,
): string => {
  const checked = task === null ? null : taskOf(task);
  if (checked?.kind === 'invalid') throw new BatchRefused('invalid', checked.message);
  return JSON.stringify([hash, checked?.taskKey ?? null, pool, policyOf(policy ?? {}), limit, identityName]);
};

const textOf = async (input: BatchInput, signal: AbortSignal): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of input.open()) {
    signal.throwIfAborted();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
};

/** A line is good if it has an id and a text; the order of what is final is not that of the input. */
const readInput = (text: string, limit: number | null) => {
  const lines: FakeLine[] = [];
  const reasons: string[] = [];
  const given = text.split('\n').filter((line) => line !== '');
  let good = 0;
  for (const [index, json] of given.entries()) {
    if (limit !== null && good >= limit) break;
    const value = parseLoosely(json);
    const customId = stringAt(value, 'id') ?? null;
    if (customId !== null && stringAt(value, 'text') !== undefined) {
      good += 1;
      lines.push({ customId, state: 'pending', finalLine: '', finalAt: 0 });
    } else {
      reasons.push(`line ${index + 1}: invalid_json_line: Expected a document.`);
      lines.push({ customId, state: 'bad', finalLine: refusedLine(index + 1, customId), finalAt: 0 });
    }
  }
  return { lines, reasons };
};

const viewOf = (batch: FakeBatch): Batch => {
  const count = (state: LineState): number => batch.lines.filter((line) => line.state === state).length;
  const isOver = count('pending') === 0;
  return {
    id: batch.id,
    identity: batch.identity,
    name: batch.submission.name,
    state: batch.isCancelled ? 'cancelled' : isOver ? 'completed' : 'in_progress',
    isPaused: batch.isPaused,
    policy: batch.submission.policy,
    maxCostNanoDollars: batch.submission.maxCostNanoDollars,
    spentNanoDollars: 0,
    heldNanoDollars: 0,
    refusedNanoDollars: null,
    ...batch.inForce,
    outputPath: batch.submission.outputPath,
    errorPath: batch.submission.errorPath,
    createdAtMs: NOW_MS,
    completedAtMs: isOver ? NOW_MS : null,
    total: batch.lines.length,
    bad: count('bad'),
    succeeded: count('succeeded'),
    failed: count('failed'),
    cancelled: count('cancelled'),
    expired: 0,
    promptTokens: 0,
    completionTokens: 0,
  };
};

const resultsOf = ({ lines }: FakeBatch, { order, only }: ResultQuery): readonly FakeLine[] => {
  const wanted = lines.filter(({ state }) => {
    if (state === 'pending') return false;
    return only === 'all' || (only === 'succeeded') === (state === 'succeeded');
  });
  return order === 'input' ? wanted : wanted.toSorted((a, b) => a.finalAt - b.finalAt);
};

/** A failure is an answer of status 200 that was of no use: a success cannot be told by the status. */
const calledLine = (customId: string, succeeds: boolean): string => {
  const attempt = { lane: FAKE_LANE, reason: null, begunAtMs: NOW_MS, durationMs: 5, promptTokens: 9 };
  const outcome = succeeds ? 'succeeded' : 'useless-answer';
  const head = {
    id: `batch_req_${customId}`,
    customId,
    provenance: { lane: FAKE_LANE, attempts: [{ ...attempt, outcome, completionTokens: 1 }] },
    statusCode: 200,
    requestId: null,
  };
  return succeeds
    ? successLine({ ...head, bodyText: '{"choices":[{"message":{"content":"Yes.\\u2028"}}]}' })
    : failedLine({
        ...head,
        failure: { kind: 'useless-answer', reason: 'The answer was empty.', flaw: 'empty', usage: null },
      });
};

const refusedLine = (lineNumber: number, customId: string | null, code = 'invalid_json_line'): string => {
  const line = badLine(`batch_req_line_${lineNumber}`, {
    kind: 'bad',
    lineNumber,
    customId,
    code: 'invalid_json_line',
    message: 'Expected a document.',
    param: null,
  });
  return line.replace('invalid_json_line', code);
};

const cancelledLine = ({ customId }: FakeLine): string => refusedLine(0, customId, 'batch_cancelled');
