/**
 * An example to copy, for Node 24: hands a file of JSON lines to a Nightshift over HTTP, waits, saves every final line.
 *
 *     node --env-file=.env scripts/submit-batch.ts docs.jsonl 'task=summarize&pool=small'
 *
 * What follows the file is the query of POST /api/batches: task, prompt, field, max_output_tokens, pool, limit, fresh,
 * no_training, region, only, except, between, priority, deadline, time_zone.
 * After any failure run it again: the same file with the same query is the same batch, and nothing is called twice.
 */
import { createWriteStream, existsSync, openAsBlob } from 'node:fs';
import { rename } from 'node:fs/promises';
import { basename } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';

const BETWEEN_LOOKS_MS = 2_000;
const { NIGHTSHIFT_URL: url = 'http://127.0.0.1:7316', NIGHTSHIFT_API_TOKEN: token = '' } = process.env;

type Batch = { state: string } & Record<
  'id' | 'total' | 'succeeded' | 'failed' | 'bad' | 'cancelled' | 'expired',
  number
>;

/** Calls the service. Its refusals are `{"error":{"code","message"}}`, and the message says what to do. */
const call = async (path: string, options: RequestInit = {}): Promise<Response> => {
  const headers = token === '' ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(new URL(path, url), { ...options, headers }).catch((cause: unknown) => {
    throw new Error(`Expected Nightshift at ${url}, got none. Start it, or set NIGHTSHIFT_URL.`, { cause });
  });
  if (!response.ok) throw new Error(`The service answered ${response.status}: ${await response.text()}`);
  return response;
};

const main = async ([file = '', query = '']: readonly string[]): Promise<void> => {
  if (!existsSync(file))
    throw new Error(`Expected a file, got "${file}". Usage: submit-batch.ts FILE [QUERY]`);
  const name = basename(file, '.jsonl');
  const path = `/api/batches?name=${encodeURIComponent(name)}&${query}`;
  // The body is the file itself, read from the disk while it is sent, whatever its size.
  const submitted = await call(path, { method: 'POST', body: await openAsBlob(file) });
  const answer: { batch: Batch; notices: string[] } = JSON.parse(await submitted.text());
  const { id } = answer.batch;
  // What becomes of prompts where they go: told once per provider.
  for (const notice of answer.notices) console.error(`note: ${notice}`);
  for (;;) {
    const status = await call(`/api/batches/id:${id}`);
    const batch: Batch = JSON.parse(await status.text()).progress.batch;
    const others = batch.failed + batch.bad + batch.cancelled + batch.expired;
    console.log(`batch ${id} ${batch.state}: ${batch.succeeded} succeeded, ${others} not, of ${batch.total}`);
    if (['completed', 'cancelled', 'expired'].includes(batch.state)) break;
    await pause(BETWEEN_LOOKS_MS);
  }
  // A line for each line of the file, in its order. Renamed at the end, so that a file of this name is always whole.
  const results = await call(`/api/batches/id:${id}/results?order=input&only=all`);
  await pipeline(results.body ?? [], createWriteStream(`${name}.results.jsonl.partial`));
  await rename(`${name}.results.jsonl.partial`, `${name}.results.jsonl`);
  console.log(`saved ${name}.results.jsonl`);
};

await main(process.argv.slice(2)).catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
