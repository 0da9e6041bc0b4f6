/** `POST /api/batches`: the lines are the body, all else is in the query. */
import type { Request, Response } from 'express';
import type { Batches, Submission, Submitted } from '../../app/batches.ts';
import { machineTimeZone } from '../../app/machine-time-zone.ts';
import type { AskedTerms } from '../../core/batch-terms.ts';
import { policyOf } from '../../core/policy.ts';
import type { TaskSpec } from '../../core/tasks/task-spec.ts';
import { departureOf, takeBody } from './bodies.ts';
import {
  dollars,
  flag,
  integer,
  list,
  type QueryReader,
  queryOf,
  requiredText,
  text,
  wholeNumber,
} from './query.ts';
import { answerWithNotices } from './notices.ts';
import { HttpRefusal } from './refusal.ts';
import { spoolBody } from './spooled-body.ts';

/** Proxies and clients give up on a connection that is silent for a minute or more; reading a large file in takes longer. */
const SIGN_OF_LIFE_MS = 15_000;

/**
 * Spools the body, submits it, and answers 201 for a new batch or 200 for one that was known. Its notices count as told once
 * the answer is out.
 */
export const submitBatch =
  (batches: Batches, spoolDirectory: string) =>
  async (request: Request, response: Response): Promise<void> => {
    const submission = submissionOf(request);
    const isGzip = isGzipped(request);
    const departure = departureOf(response);
    takeBody(request, response);
    await using input = await spoolBody(request, spoolDirectory, isGzip);
    if (input.byteLength === 0) throw emptyBody();
    const submitted = await whileTelling(request, response, () =>
      batches.submit(submission, input, () => {}, departure),
    );
    response.status(submitted.isKnown ? 200 : 201);
    await answerWithNotices(batches, response, submitted);
  };

const POSITIVE = wholeNumber(Number.MAX_SAFE_INTEGER);

const TASK_PARAMETERS = ['task', 'prompt', 'field', 'max_output_tokens'] as const;

const POLICY_PARAMETERS = ['no_training', 'region', 'only', 'except'] as const;

const TERMS_PARAMETERS = ['between', 'priority', 'deadline', 'time_zone'] as const;

const submissionOf = (request: Request): Submission => {
  const read = queryOf(
    request,
    'name',
    ...TASK_PARAMETERS,
    'pool',
    ...POLICY_PARAMETERS,
    'max_cost',
    ...TERMS_PARAMETERS,
    'limit',
    'fresh',
    'identity_name',
    'output_path',
    'error_path',
  );
  return {
    name: read('name', requiredText),
    task: taskSpecOf(read),
    pool: read('pool', text),
    policy: policyOf({
      forbidsTraining: read('no_training', flag),
      regions: read('region', list),
      only: read('only', list),
      except: read('except', list),
    }),
    maxCostNanoDollars: read('max_cost', dollars),
    terms: termsOf(read),
    limit: read('limit', POSITIVE),
    fresh: read('fresh', flag),
    identityName: read('identity_name', text),
    outputPath: read('output_path', text),
    errorPath: read('error_path', text),
  };
};

/** Whether they make sense is for the record to say. */
const termsOf = (read: QueryReader<(typeof TERMS_PARAMETERS)[number]>): AskedTerms => ({
  between: read('between', text),
  priority: read('priority', integer),
  deadline: read('deadline', text),
  timeZone: read('time_zone', text) ?? machineTimeZone(),
});

const taskSpecOf = (read: QueryReader<(typeof TASK_PARAMETERS)[number]>): TaskSpec | null => {
  const [name, prompt, textField] = [read('task', text), read('prompt', text), read('field', text)];
  const maxOutputTokens = read('max_output_tokens', POSITIVE);
  if (name === null && prompt === null) {
    if (textField !== null) throw withoutTask('field');
    if (maxOutputTokens !== null) throw withoutTask('max_output_tokens');
    return null;
  }
  return {
    ...(name === null ? {} : { name }),
    ...(prompt === null ? {} : { prompt }),
    ...(textField === null ? {} : { textField }),
    ...(maxOutputTokens === null ? {} : { maxOutputTokens }),
  };
};

const withoutTask = (parameter: string): HttpRefusal =>
  new HttpRefusal(
    400,
    'bad_query',
    `Expected \`${parameter}\` beside \`task\` or \`prompt\`, got it alone: without a task every line is a whole request of its own. Add \`task=summarize\` or a prompt.`,
  );

const isGzipped = ({ headers }: Request): boolean => {
  const encoding = headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
  if (encoding === 'gzip' || encoding === 'x-gzip') return true;
  if (encoding === 'identity' || encoding === '') return false;
  throw new HttpRefusal(
    415,
    'unsupported_encoding',
    'Expected Content-Encoding to be gzip or missing, got another. Send the lines plain or gzipped.',
    { 'accept-encoding': 'gzip' },
  );
};

const emptyBody = (): HttpRefusal =>
  new HttpRefusal(
    422,
    'invalid',
    "Expected the request's body to be JSON lines, got an empty body. Send the file itself: `curl --data-binary @docs.jsonl`.",
  );

/** Sends `102 Processing` now and then, so that nobody on the way takes the silence for death. */
const whileTelling = async (
  { httpVersionMinor }: Request,
  response: Response,
  work: () => Promise<Submitted>,
): Promise<Submitted> => {
  const timer = setInterval(() => {
    if (httpVersionMinor > 0) response.writeProcessing();
  }, SIGN_OF_LIFE_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
};
