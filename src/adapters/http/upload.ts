/** A submission on its way to a service: what of it goes into the query, and the bytes of its input. */
import type { BatchInput, IngestStatus, Submission, Submitted } from '../../app/batches.ts';
import { plainDollars } from '../../core/money/nano-dollars.ts';
import type { AskedTerms } from '../../core/batch-terms.ts';
import type { Policy } from '../../core/policy.ts';
import type { TaskSpec } from '../../core/tasks/task-spec.ts';
import type { ServiceRequest } from './service-call.ts';

/** What is submitted, who is told how far it is, and what breaks it off. */
export interface Upload {
  readonly submission: Submission;
  readonly input: BatchInput;
  readonly tell: (status: IngestStatus) => void;
  readonly signal: AbortSignal;
}

/**
 * Sends a submission by `send`, which makes one request of it.
 *
 * @throws what was wrong with the input, where it could not be read to its end.
 */
export const upload = async (
  submitted: Upload,
  send: (request: ServiceRequest) => Promise<Submitted>,
): Promise<Submitted> => {
  const { input, submission, signal } = submitted;
  const outgoing = outgoingBytes(submitted);
  try {
    return await send({
      method: 'POST',
      path: 'api/batches',
      query: queryOf(submission),
      headers: {
        'content-type': 'application/jsonl',
        ...(input.isGzip ? { 'content-encoding': 'gzip' } : {}),
      },
      body: outgoing.bytes,
      signal,
    });
  } catch (error) {
    // An input that cannot be read breaks the connection off; what was wrong with it says more.
    throw outgoing.fault() ?? error;
  } finally {
    await outgoing.close();
  }
};

const queryOf = (submission: Submission): NonNullable<ServiceRequest['query']> => ({
  name: submission.name,
  ...taskQuery(submission.task),
  pool: submission.pool,
  ...policyQuery(submission.policy),
  max_cost: submission.maxCostNanoDollars === null ? null : plainDollars(submission.maxCostNanoDollars),
  ...termsQuery(submission.terms),
  limit: submission.limit,
  fresh: submission.fresh ? true : null,
  identity_name: submission.identityName,
  output_path: submission.outputPath,
  error_path: submission.errorPath,
});

const policyQuery = (policy: Policy | null): NonNullable<ServiceRequest['query']> =>
  policy === null
    ? {}
    : {
        no_training: policy.forbidsTraining ? true : null,
        region: listed(policy.regions),
        only: listed(policy.only),
        except: listed(policy.except),
      };

/** As they were typed: what they come to is for the record to say, by its clock. The zone is the one they were typed in. */
const termsQuery = ({
  between,
  priority,
  deadline,
  timeZone,
}: AskedTerms): NonNullable<ServiceRequest['query']> => ({
  between,
  priority,
  deadline,
  time_zone: between === null && deadline === null ? null : timeZone,
});

const listed = (entries: readonly string[]): string | null =>
  entries.length === 0 ? null : entries.join(',');

/** A task without a name is still one: that it has none is for the service to refuse. */
const taskQuery = (task: TaskSpec | null): NonNullable<ServiceRequest['query']> =>
  task === null
    ? {}
    : {
        task: task.name ?? (task.prompt === undefined ? '' : null),
        prompt: task.prompt ?? null,
        field: task.textField ?? null,
        max_output_tokens: task.maxOutputTokens ?? null,
      };

const LINE_FEED = 0x0a;

/** The bytes of an input on their way out, counted; and what went wrong with reading them, if anything did. */
const outgoingBytes = ({ input, tell }: Upload) => {
  let fault: unknown;
  let lines = 0;
  const bytes = async function* (): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of input.raw()) {
        if (!input.isGzip) lines += lineFeedsIn(chunk);
        tell({ lines, bytesRead: input.bytesRead(), bytes: input.byteLength });
        yield chunk;
      }
    } catch (error) {
      fault = error;
      throw error;
    }
  };
  const outgoing = bytes();
  return {
    bytes: outgoing,
    fault: () => fault,
    /** A service that refuses early reads no further: whoever read the input has to be told. */
    close: async () => {
      await outgoing.return(undefined);
    },
  };
};

const lineFeedsIn = (chunk: Buffer): number => {
  let count = 0;
  for (let at = chunk.indexOf(LINE_FEED); at !== -1; at = chunk.indexOf(LINE_FEED, at + 1)) count += 1;
  return count;
};
