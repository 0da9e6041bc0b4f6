/** {@link Batches} of another process, over its HTTP interface. */
import type { z } from 'zod';
import { type Batches, BatchRefused, type ResultQuery } from '../../app/batches.ts';
import { parseLoosely } from '../../core/json/loose-json.ts';
import { type Service, type ServiceAddress, serviceAt, type ServiceRequest } from './service-call.ts';
import { upload } from './upload.ts';
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
    submit: async (submission, input, tell, signal) =>
      await upload({ submission, input, tell, signal }, (request) => ask(submittedReply, request)),
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
    // The service does so when it has answered.
    markTold: async () => {},
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
const hasSucceeded = (line: string, only: ResultQuery['only'], service: Service): boolean => {
  if (only !== 'all') return only === 'succeeded';
  const { success, data, error } = finalLineShape.safeParse(parseLoosely(line));
  if (!success) throw service.stranger('a line that is no final line', error);
  return data.error === null && data.nightshift.attempts.at(-1)?.outcome === 'succeeded';
};
