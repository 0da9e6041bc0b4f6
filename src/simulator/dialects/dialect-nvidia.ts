/** NVIDIA's catalogue: `status`, `title` and `detail`, and one and the same 429 for limits and congestion (facts/providers.json, nvidia). */
import type { Complaint, OwnWords } from './complaint.ts';
import { ownWords, plainWording } from './complaint.ts';
import type { Dialect } from './dialect.ts';
import { jsonReply } from './dialect.ts';

/** No headers; a refusal for quota says no more than `Too Many Requests`. */
export const nvidia: Dialect = {
  refuse(complaint) {
    const { status } = plainWording(complaint);
    return jsonReply(status, { status, title: titleOf(status), ...detailOf(complaint) });
  },
  gaugeHeaders: () => ({}),
};

const WORDS: OwnWords<string> = {
  'model-not-found': ({ model }) => `Function '${model}': Not found for account 'simulated'`,
  'model-retired': ({ model }) =>
    `The model '${model}' has reached its end of life and is no longer available.`,
};

function detailOf(complaint: Complaint): { readonly detail?: string } {
  if (complaint.kind === 'quota' || complaint.kind === 'concurrency') return {};
  return { detail: ownWords(WORDS, complaint.kind, complaint) ?? plainWording(complaint).message };
}

function titleOf(status: number): string {
  const titles: Readonly<Record<number, string>> = {
    400: 'Bad Request',
    401: 'Unauthorized',
    402: 'Payment Required',
    403: 'Forbidden',
    404: 'Not Found',
    410: 'Gone',
    413: 'Payload Too Large',
    429: 'Too Many Requests',
    500: 'Internal Server Error',
    503: 'Service Unavailable',
  };
  return titles[status] ?? 'Error';
}
