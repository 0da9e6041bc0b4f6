/** What is left when a refusal is about no limit, no account and no model: forms of bodies, then statuses alone. */
import { BROKEN, BUSY, type Row } from './row.ts';

/** The rows, in order; the last kinds of signs are the loosest. */
export const REST_SIGNS: readonly Row[] = [
  {
    seen: 'Azure, OpenAI',
    code: ['content_filter', 'content_policy_violation'],
    means: { kind: 'useless-answer', flaw: 'refused' },
  },
  {
    seen: 'Groq: the model wrote what is no JSON',
    status: [400],
    code: ['json_validate_failed', 'tool_use_failed'],
    means: { kind: 'useless-answer', flaw: 'not-json' },
  },
  { seen: 'every provider', status: [403], means: { kind: 'forbidden' } },
  {
    seen: 'proxies, captive portals, maintenance pages',
    status: [400, 404, 405],
    when: ({ body }) => body.form === 'html',
    means: BUSY,
  },
  { seen: 'a wrong path, or a gateway that lost its routes', status: [404], means: BUSY },
  { seen: 'every provider', status: [400, 405, 406, 411, 415, 422], means: { kind: 'bad-request' } },
  {
    seen: 'refused before work began: overload, Cloudflare without its origin',
    status: [425, 503, 521, 522, 523, 525, 526, 529, 530],
    means: BUSY,
  },
  {
    seen: 'every provider',
    when: ({ status }) => status === 408 || (status !== null && status >= 500),
    means: BROKEN,
  },
  {
    seen: 'a 200 without an answer: HTML, nothing, no JSON, an error',
    when: ({ status }) => status !== null && status < 300,
    means: BROKEN,
  },
];
