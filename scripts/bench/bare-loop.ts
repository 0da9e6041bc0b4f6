/**
 * What anyone would write in an afternoon: a loop around the `openai` SDK, with a file for the answers. It remembers
 * nothing, so it is the least a call can cost. `node bare-loop.ts BASE_URL CONCURRENCY LINES OUT.jsonl`
 */
import OpenAI from 'openai';
import { openAnswerFile } from './answer-file.ts';
import { bodyOf } from './short-lines.ts';

const [baseURL = '', concurrency = '', lines = '', path = ''] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey: 'none', maxRetries: 0 });
await using answers = openAnswerFile(path);

let next = 0;
const work = async (): Promise<void> => {
  while (next < Number(lines)) {
    const index = next;
    next += 1;
    const body = await client.chat.completions.create(bodyOf(index));
    await answers.write({ custom_id: `line-${index}`, body });
  }
};
await Promise.all(Array.from({ length: Number(concurrency) }, work));
