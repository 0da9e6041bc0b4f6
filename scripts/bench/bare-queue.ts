/**
 * BullMQ as its manual shows it: a job per call, a worker that makes it, and a file for the answers, on Redis, without
 * anything that remembers. `node bare-queue.ts BASE_URL CONCURRENCY LINES OUT.jsonl REDIS_PORT`
 */
import { Queue, Worker } from 'bullmq';
import OpenAI from 'openai';
import { openAnswerFile } from './answer-file.ts';
import { bodyOf } from './short-lines.ts';

const JOBS_AT_ONCE = 1_000;
const QUEUE = 'calls';

const [baseURL = '', concurrency = '', lineCount = '', path = '', port = ''] = process.argv.slice(2);
const lines = Number(lineCount);
const connection = { host: '127.0.0.1', port: Number(port), maxRetriesPerRequest: null };
const client = new OpenAI({ baseURL, apiKey: 'none', maxRetries: 0 });
await using answers = openAnswerFile(path);

const queue = new Queue<number>(QUEUE, { connection });
const finished = Promise.withResolvers<void>();
let done = 0;
const worker = new Worker<number>(
  QUEUE,
  async ({ data: index }) => {
    const body = await client.chat.completions.create(bodyOf(index));
    await answers.write({ custom_id: `line-${index}`, body });
  },
  { connection, concurrency: Number(concurrency) },
);
worker.on('completed', () => {
  done += 1;
  if (done === lines) finished.resolve();
});
worker.on('failed', (_, error) => finished.reject(error));
worker.on('error', finished.reject);

for (let start = 0; start < lines; start += JOBS_AT_ONCE) {
  const size = Math.min(JOBS_AT_ONCE, lines - start);
  await queue.addBulk(
    Array.from({ length: size }, (_, offset) => ({
      name: 'call',
      data: start + offset,
      opts: { removeOnComplete: true },
    })),
  );
}
await finished.promise;
await worker.close();
await queue.close();
