/** {@link Batches} of another process, over its HTTP interface. */
import type { z } from 'zod';
import {
  type Batches,
  type BatchInput,
  BatchRefused,
  type IngestStatus,
  type Submission,
} from '../../app/batches.ts';
import type { TaskSpec } from '../../core/tasks/task-spec.ts';
import { parseLoosely } from '../../core/json/loose-json.ts';
import { type Service, type ServiceAddress, serviceAt, type ServiceRequest } from './service-call.ts';
import {
  batchReply,
  finalLineShape,
  laneReply,
  lanesReply,
  laneTotalsReply,
  listReply,
  retryReply,
  statusReply,
  submittedReply,
} from './wire-shapes.ts';

/**
 * The batches of the service at an address. Nothing is asked before a method is called; nothing is kept.
 *
 * While an input is uploaded, `tell` counts what was sent; the lines of a gzipped one are not known here and stay 0.
 *
 * @throws BatchRefused `invalid` for an address or a token that cannot be used. Where nobody answers, its methods throw
 * `unready`; where a stranger answers, `invalid`.
 */
export const batchesOver = (address: ServiceAddress): Batches => {
  const service = serviceAt(address);
  const ask = <T>(shape: z.ZodType<T>, request: ServiceRequest): Promise<T> => asked(service, shape, request);
  const act = async (ref: string, action: 'cancel' | 'pause' | 'resume') =>
    (await ask(batchReply, { method: 'POST', path: `${pathOf(ref)}/${action}` })).batch;
  return {
    submit: (submission, input, tell, signal) => submit(ask, { submission, input, tell, signal }),
    list: async ({ atMost, beforeId }) => {
      const query = { limit: atMost, before: beforeId };
      return (await ask(listReply, { method: 'GET', path: 'api/batches', query })).batches;
    },
    status: async (ref) => await ask(statusReply, { method: 'GET', path: pathOf(ref) }),
    results: async function* (ref, { order, only }) {
      const path = `${pathOf(ref)}/results`;
      const response = await service.call({ method: 'GET', path, query: { order, only } });
      if (!(response.headers.get('content-type') ?? '').startsWith('application/jsonl')) {
        await response.body?.cancel();
        throw service.stranger('an answer that is no JSON lines');
      }
      for await (const lines of linesOf(response, service)) {
        yield lines.map((line) => ({ succeeded: hasSucceeded(line, only, service), line }));
      }
    },
    cancel: async (ref) => await act(ref, 'cancel'),
    pause: async (ref) => await act(ref, 'pause'),
    resume: async (ref) => await act(ref, 'resume'),
    retry: async (ref, { pool }) =>
      await ask(retryReply, { method: 'POST', path: `${pathOf(ref)}/retry`, query: { pool } }),
    laneTotals: async (ref) =>
      (await ask(laneTotalsReply, { method: 'GET', path: `${pathOf(ref)}/lanes` })).lanes,
    lanes: async () => (await ask(lanesReply, { method: 'GET', path: 'api/lanes' })).lanes,
    pauseLane: async (lane) => {
      await ask(laneReply, { method: 'POST', path: 'api/lanes/pause', query: { lane } });
    },
    resumeLane: async (lane) => {
      await ask(laneReply, { method: 'POST', path: 'api/lanes/resume', query: { lane } });
    },
  };
};

type Ask = <T>(shape: z.ZodType<T>, request: ServiceRequest) => Promise<T>;

const asked = async <T>(service: Service, shape: z.ZodType<T>, request: ServiceRequest): Promise<T> => {
  const response = await service.call(request);
  const reply = await response.text().catch((error: unknown) => {
    request.signal?.throwIfAborted();
    throw service.brokenOff(error);
  });
  const read = shape.safeParse(parseLoosely(reply));
  if (read.success) return read.data;
  const where = read.error.issues[0]?.path.join('.') ?? '';
  throw service.stranger(`an answer of another form${where === '' ? '' : ` (at \`${where}\`)`}`, read.error);
};

/** A name of dots only would be taken for steps through the path, however it is encoded. */
const pathOf = (ref: string): string => {
  if (ref === '' || ref === '.' || ref === '..') {
    throw new BatchRefused(
      'not-found',
      `Expected a batch's name or id, got ${JSON.stringify(ref)}. Use the id of a batch with such a name.`,
    );
  }
  return `api/batches/${encodeURIComponent(ref.toWellFormed())}`;
};

interface Upload {
  readonly submission: Submission;
  readonly input: BatchInput;
  readonly tell: (status: IngestStatus) => void;
  readonly signal: AbortSignal;
}

const submit = async (ask: Ask, upload: Upload) => {
  const { input, submission, signal } = upload;
  const outgoing = outgoingBytes(upload);
  try {
    return await ask(submittedReply, {
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
  limit: submission.limit,
  fresh: submission.fresh ? true : null,
  identity_name: submission.identityName,
  output_path: submission.outputPath,
  error_path: submission.errorPath,
});

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

/** The lines that each chunk of a body completes. A body whose last line has no end was cut off. */
async function* linesOf(response: Response, service: Service): AsyncGenerator<readonly string[]> {
  const decoder = new TextDecoder();
  let begun = '';
  try {
    for await (const chunk of response.body ?? []) {
      const text = decoder.decode(chunk, { stream: true });
      const end = text.lastIndexOf('\n');
      if (end === -1) begun += text;
      else {
        yield (begun + text.slice(0, end)).split('\n');
        begun = text.slice(end + 1);
      }
    }
  } catch (error) {
    throw service.brokenOff(error);
  }
  if (begun !== '') throw service.brokenOff(new Error('The last line has no end.'));
}

/**
 * Whether a line is a success: its last attempt succeeded. The status of its response does not tell, for a failure may
 * be an answer of status 200 that was of no use.
 */
const hasSucceeded = (line: string, only: 'all' | 'succeeded' | 'others', service: Service): boolean => {
  if (only !== 'all') return only === 'succeeded';
  const { success, data, error } = finalLineShape.safeParse(parseLoosely(line));
  if (!success) throw service.stranger('a line that is no final line', error);
  return data.error === null && data.nightshift.attempts.at(-1)?.outcome === 'succeeded';
};
