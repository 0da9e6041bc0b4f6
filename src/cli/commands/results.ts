/** `results`: the final lines of a batch, at any time. */
import { once } from 'node:events';
import { resolve } from 'node:path';
import { openWholeFile } from '../../adapters/files/output-files.ts';
import { refOf, type ResultQuery } from '../../app/batches.ts';
import { writeOutputs } from '../../app/outputs.ts';
import { isFinal, linesDone, linesNotSucceeded } from '../../app/progress.ts';
import { type BatchesFlags, openBatches } from '../batches-at-hand.ts';
import type { CliContext } from '../context.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { errorsPath, refuseOneForBoth } from '../run-paths.ts';
import { counted } from '../text/quantity.ts';

/** Options of `results`. */
export interface ResultsFlags extends BatchesFlags {
  readonly out?: string | undefined;
  readonly errors?: string | undefined;
  readonly order?: ResultQuery['order'] | undefined;
  readonly only?: ResultQuery['only'] | undefined;
}

/** Writes the final lines so far into files, or prints them. Exits with 2 while lines are missing or not all succeeded. */
export async function results(context: CliContext, ref: string, flags: ResultsFlags): Promise<ExitCode> {
  const files = filesOf(flags, context.workingDirectory);
  await using at = await openBatches(context, flags);
  // Asked before the lines: what becomes final meanwhile is then more than was promised, not less.
  const { batch } = (await at.batches.status(ref)).progress;
  const exactly = refOf(batch);
  if (files === null) {
    const order = flags.order ?? 'completion';
    await print(context, at.batches.results(exactly, { order, only: flags.only ?? 'succeeded' }));
  } else {
    const { output, errors } = files;
    const { succeeded, others } = await writeOutputs(
      at.batches.results(exactly, { order: flags.order ?? 'input', only: flags.only ?? 'all' }),
      await openWholeFile(output),
      await openWholeFile(errors),
    );
    context.stderr.write(
      `${counted(succeeded, 'success', 'successes')} in ${output}${others > 0 ? `, ${counted(others, 'other line')} in ${errors}` : ''}\n`,
    );
  }
  if (!isFinal(batch)) {
    context.stderr.write(
      `The batch is not over: ${linesDone(batch)} of ${counted(batch.total, 'line')} are final.\n`,
    );
    return EXIT.someFailed;
  }
  return linesNotSucceeded(batch) > 0 ? EXIT.someFailed : EXIT.done;
}

/** Where they go; `null`: they are printed. */
function filesOf(
  { out, errors }: ResultsFlags,
  workingDirectory: string,
): { readonly output: string; readonly errors: string } | null {
  if (out === undefined) return null;
  const output = resolve(workingDirectory, out);
  const others = errorsPath(output, errors, workingDirectory);
  refuseOneForBoth(output, others);
  return { output, errors: others };
}

/** Prints as fast as the reader reads; one that has read enough ends it. */
async function print(
  { stdout }: CliContext,
  lines: AsyncIterable<readonly { readonly line: string }[]>,
): Promise<void> {
  try {
    for await (const page of lines) {
      const text = page.map(({ line }) => `${line}\n`).join('');
      if (text !== '' && stdout.write(text) === false) await once(process.stdout, 'drain');
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EPIPE')) throw error;
  }
}
