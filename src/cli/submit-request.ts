/** Opens a run's input and submits it. */
import { openInput } from '../adapters/files/open-input.ts';
import type { Batches, Submission, Submitted } from '../app/batches.ts';
import type { RunListener, RunRequest } from './run-request.ts';

/** Where an input goes, and who is told. */
export interface Submitting {
  readonly batches: Pick<Batches, 'submit' | 'markTold'>;
  /** Where standard input is kept while it is read. */
  readonly spoolDirectory: string;
  readonly listener: Pick<RunListener, 'ingesting' | 'ingested' | 'noticed'>;
  /** Stops the reading; nothing of the batch remains. */
  readonly signal: AbortSignal;
}

/** What is submitted: a run's request, or one whose results nobody writes into files. */
export type SubmitRequest = Omit<RunRequest, 'output' | 'errors'> & {
  readonly output: string | null;
  readonly errors: string | null;
};

/**
 * What came of a request, once the user was told what there is to tell; `null` if the signal stopped the reading.
 *
 * @throws BatchRefused if it is refused.
 */
export const submitRequest = async (
  request: SubmitRequest,
  { batches, spoolDirectory, listener, signal }: Submitting,
): Promise<Submitted | null> => {
  try {
    await using input = await openInput(request.input, spoolDirectory, signal);
    const submitted = await batches.submit(
      submissionOf(request),
      input,
      (status) => listener.ingesting(status),
      signal,
    );
    listener.ingested(submitted);
    if (submitted.notices.length > 0) {
      listener.noticed(submitted.notices);
      await batches.markTold(submitted.notices);
    }
    return submitted;
  } catch (error) {
    if (signal.aborted) return null;
    throw error;
  }
};

const submissionOf = ({ input, output, errors, ...asked }: SubmitRequest): Submission => ({
  ...asked,
  identityName: input === '-' ? asked.name : null,
  outputPath: output,
  errorPath: errors,
});
