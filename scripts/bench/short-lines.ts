/** The batch that every variant works on: OpenAI batch lines of about 200 bytes, and a configuration of one lane without limits. */
import { createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { stringify } from 'yaml';

/** The pool that lines name as their model. */
export const POOL = 'instant';

/** Generated lines go to the file in chunks of so many. */
const LINES_PER_CHUNK = 1_000;

/** The body of a call. */
export const bodyOf = (index: number) => ({
  model: POOL,
  max_tokens: 16,
  messages: [{ role: 'user' as const, content: `Sort ticket ${index}: the printer is on fire` }],
});

/** Writes a batch of so many lines. `prefix` makes its ids its own. */
export const writeShortLines = async (path: string, lines: number, prefix: string): Promise<void> => {
  const lineOf = (index: number): string =>
    JSON.stringify({
      custom_id: `${prefix}-${index}`,
      method: 'POST',
      url: '/v1/chat/completions',
      body: bodyOf(index),
    });
  const chunks = function* (): Generator<string> {
    for (let start = 0; start < lines; start += LINES_PER_CHUNK) {
      const size = Math.min(LINES_PER_CHUNK, lines - start);
      yield Array.from({ length: size }, (_, offset) => `${lineOf(start + offset)}\n`).join('');
    }
  };
  await pipeline(Readable.from(chunks()), createWriteStream(path));
};

/** Writes a `nightshift.yaml` with one local lane that makes so many calls at once. */
export const writeConfig = async (path: string, baseUrl: string, concurrency: number): Promise<void> => {
  const model = { contextTokens: 100_000, maxOutputTokens: 4_000, concurrency };
  const instant = { baseUrl, tier: 'local', models: { model } };
  await writeFile(path, stringify({ providers: { instant }, pools: { [POOL]: ['instant/model'] } }));
};
