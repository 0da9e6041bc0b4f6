/** The commands that ask about batches and change them: `list`, `status`, `cancel`, `pause`, `resume`, `retry`. */
import { type Batches, BatchRefused } from '../../app/batches.ts';
import type { Batch } from '../../app/batch-store.ts';
import { type BatchesFlags, openBatches } from '../batches-at-hand.ts';
import { type CliContext, printJson, printLines } from '../context.ts';
import { batchListLines, batchSentence, statusLines } from '../display/batch-text.ts';
import { noticeText } from '../display/run-display.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { counted } from '../text/quantity.ts';

/** Options that all of them have. */
export interface BatchFlags extends BatchesFlags {
  readonly json?: boolean | undefined;
}

/** Options of `list`. */
export interface ListFlags extends BatchFlags {
  readonly limit: number;
}

/** Prints the latest batches, latest first. */
export async function list(context: CliContext, flags: ListFlags): Promise<ExitCode> {
  await using at = await openBatches(context, flags);
  const found = await at.batches.list({ atMost: flags.limit, beforeId: null });
  if (flags.json === true) printJson(context.stdout, found);
  else printLines(context.stdout, batchListLines(found, Date.now()));
  return EXIT.done;
}

/** Prints how a batch and its lanes stand. */
export async function status(context: CliContext, ref: string, flags: BatchFlags): Promise<ExitCode> {
  await using at = await openBatches(context, flags);
  const found = await at.batches.status(ref);
  if (flags.json === true) printJson(context.stdout, found);
  else printLines(context.stdout, statusLines(found));
  return EXIT.done;
}

/** Cancels a batch: calls under way end, every other open line becomes an error line. */
export async function cancel(context: CliContext, ref: string, flags: BatchFlags): Promise<ExitCode> {
  return await change(context, flags, (batches) => batches.cancel(ref));
}

/** Options of `pause` and `resume`. */
export interface PauseFlags extends BatchFlags {
  readonly lane?: string | undefined;
}

/** Pauses a batch, or a lane for all batches. */
export async function pause(
  context: CliContext,
  ref: string | undefined,
  flags: PauseFlags,
): Promise<ExitCode> {
  return await pauseOrResume(context, { ref, flags, isPaused: true });
}

/** Resumes what was paused. */
export async function resume(
  context: CliContext,
  ref: string | undefined,
  flags: PauseFlags,
): Promise<ExitCode> {
  return await pauseOrResume(context, { ref, flags, isPaused: false });
}

async function pauseOrResume(
  context: CliContext,
  { ref, flags, isPaused }: { ref: string | undefined; flags: PauseFlags; isPaused: boolean },
): Promise<ExitCode> {
  const { lane } = flags;
  if (lane === undefined && ref !== undefined)
    return await change(context, flags, (batches) => (isPaused ? batches.pause(ref) : batches.resume(ref)));
  if (lane === undefined || ref !== undefined)
    throw new BatchRefused(
      'invalid',
      'Expected BATCH or --lane LANE, got both or neither. Name one of them.',
    );
  await using at = await openBatches(context, flags);
  await (isPaused ? at.batches.pauseLane(lane) : at.batches.resumeLane(lane));
  if (flags.json === true) printJson(context.stdout, { lane, isPaused });
  else
    printLines(context.stdout, [
      isPaused
        ? `Lane ${lane} is paused: nothing more is granted on it, calls under way end.`
        : `Lane ${lane} takes calls again.`,
    ]);
  return EXIT.done;
}

/** Options of `retry`. */
export interface RetryFlags extends BatchFlags {
  readonly pool?: string | undefined;
}

/** Puts the failed lines of a batch back to work. */
export async function retry(context: CliContext, ref: string, flags: RetryFlags): Promise<ExitCode> {
  await using at = await openBatches(context, flags);
  const retried = await at.batches.retry(ref, { pool: flags.pool ?? null });
  const { batch, lines, notices } = retried;
  printLines(context.stderr, notices.map(noticeText));
  await at.batches.markTold(notices);
  if (flags.json === true) printJson(context.stdout, retried);
  else
    printLines(context.stdout, [
      `${counted(lines, 'line')} of batch "${batch.name}" ${lines === 1 ? 'is' : 'are'} to be done again${flags.pool === undefined ? '' : ` on ${flags.pool}`}.`,
      ...(at.serviceUrl === null ? ['They run when a service does: npx nightshift up'] : []),
    ]);
  return EXIT.done;
}

async function change(
  context: CliContext,
  flags: BatchFlags,
  work: (batches: Batches) => Promise<Batch>,
): Promise<ExitCode> {
  await using at = await openBatches(context, flags);
  const batch = await work(at.batches);
  if (flags.json === true) printJson(context.stdout, batch);
  else printLines(context.stdout, [batchSentence(batch, Date.now())]);
  return EXIT.done;
}
