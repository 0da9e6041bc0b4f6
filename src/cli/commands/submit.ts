/** `submit`: hands a file over and returns. */
import { type BatchesFlags, openBatches } from '../batches-at-hand.ts';
import { type CliContext, printJson, printLines } from '../context.ts';
import { batchSentence } from '../display/batch-text.ts';
import { plainDisplay } from '../display/plain-display.ts';
import { shellQuoted } from '../display/summary.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { checkReadable, inputName } from '../run-paths.ts';
import { submitRequest } from '../submit-request.ts';
import { type PolicyFlags, readPolicy } from '../policy-option.ts';
import { readTask, type TaskFlags } from '../task-option.ts';
import { readTermsFlags, type TermsFlags } from '../terms-option.ts';

/** Options of `submit`. */
export interface SubmitFlags extends BatchesFlags, TaskFlags, PolicyFlags, TermsFlags {
  readonly pool?: string | undefined;
  readonly name?: string | undefined;
  /** In billionths of a dollar. */
  readonly maxCost?: number | undefined;
  readonly limit?: number | undefined;
  readonly fresh?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/** Submits a batch and says how to follow it. Ctrl-C while the input is read leaves nothing behind. */
export async function submit(context: CliContext, input: string, flags: SubmitFlags): Promise<ExitCode> {
  const { workingDirectory, stderr, stdout } = context;
  const terms = readTermsFlags(flags);
  const source = inputName(input, flags.name, workingDirectory);
  await checkReadable(source.input);
  const task = await readTask(flags, workingDirectory);
  await using at = await openBatches(context, flags);
  const stop = new AbortController();
  const interrupt = (): void => stop.abort();
  process.on('SIGINT', interrupt);
  try {
    const submitted = await submitRequest(
      {
        ...source,
        task,
        pool: flags.pool ?? null,
        policy: readPolicy(flags),
        maxCostNanoDollars: flags.maxCost ?? null,
        terms,
        limit: flags.limit ?? null,
        fresh: flags.fresh === true,
        output: null,
        errors: null,
      },
      {
        batches: at.batches,
        spoolDirectory: at.config.dataDirectory,
        listener: plainDisplay((message) => void stderr.write(`${message}\n`)),
        signal: stop.signal,
      },
    );
    if (submitted === null) return EXIT.interrupted;
    const { batch, notices } = submitted;
    if (flags.json === true) printJson(stdout, { ...batch, notices });
    else
      printLines(stdout, [
        batchSentence(batch, Date.now()),
        ...(at.serviceUrl === null ? ['It runs when a service does: npx nightshift up'] : []),
        `Watch it:        npx nightshift watch ${shellQuoted(batch.name)}`,
        `Get its results: npx nightshift results ${shellQuoted(batch.name)} --out FILE.jsonl`,
      ]);
    return EXIT.done;
  } finally {
    process.off('SIGINT', interrupt);
  }
}
