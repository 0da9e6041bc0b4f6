/** What Nightshift is compared with: the same calls with no record, from a bare loop and from BullMQ jobs on Redis. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { measureCalls } from './measure-calls.ts';
import { startRedis } from './servers.ts';
import type { Variant } from './variant.ts';

const BARE_LOOP = fileURLToPath(new URL('bare-loop.ts', import.meta.url));
const BARE_QUEUE = fileURLToPath(new URL('bare-queue.ts', import.meta.url));

/** A loop around the `openai` SDK. */
export const bareLoop: Variant = {
  id: 'bare',
  title: 'bare openai loop',
  async start({ provider, concurrency, directory }) {
    const script = (lines: number): string[] => [
      BARE_LOOP,
      provider.baseUrl,
      String(concurrency),
      String(lines),
      join(directory, 'out.jsonl'),
    ];
    return {
      measure: async (lines) => ({
        ...(await measureCalls({
          provider,
          lines,
          command: { script: script(lines), workingDirectory: directory },
          name: 'loop',
          watched: [],
        })),
        grantToCall: null,
      }),
      async [Symbol.asyncDispose]() {},
    };
  },
};

/** A BullMQ job per call on Redis, with nothing that remembers. */
export const bareQueue: Variant = {
  id: 'queue',
  title: 'BullMQ on Redis + openai, no record',
  async start({ provider, concurrency, directory }) {
    const redis = await startRedis(join(directory, 'redis'));
    const script = (lines: number): string[] => [
      BARE_QUEUE,
      provider.baseUrl,
      String(concurrency),
      String(lines),
      join(directory, 'out.jsonl'),
      String(redis.port),
    ];
    return {
      measure: async (lines) => ({
        ...(await measureCalls({
          provider,
          lines,
          command: { script: script(lines), workingDirectory: directory },
          name: 'worker',
          watched: [redis.watched],
        })),
        grantToCall: null,
      }),
      [Symbol.asyncDispose]: () => redis[Symbol.asyncDispose](),
    };
  },
};
