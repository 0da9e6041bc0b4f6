/** What the board's routes answer, as far as tests look at it. */
import { z } from 'zod';
import type { Answer } from './open-test-board.ts';

const jobSchema = z.object({
  id: z.string(),
  name: z.string(),
  progress: z.unknown(),
  failedReason: z.string().optional(),
  finishedOn: z.number().nullish(),
  timestamp: z.number(),
  data: z.record(z.string(), z.unknown()),
});

const queueSchema = z.object({
  name: z.string(),
  description: z.string().optional(),
  counts: z.record(z.string(), z.number()),
  statuses: z.array(z.string()),
  jobs: z.array(jobSchema),
  pagination: z.object({ pageCount: z.number() }),
  isPaused: z.boolean(),
  readOnlyMode: z.boolean(),
  allowRetries: z.boolean(),
  supportsGlobalRateLimit: z.boolean(),
  globalConcurrency: z.number().nullable(),
  activeRateLimitTtl: z.number(),
  delimiter: z.string(),
});

/** A queue as the board lists it. */
export type BoardQueue = z.infer<typeof queueSchema>;

/** The queues of a list. */
export const queuesIn = ({ body }: Answer): readonly BoardQueue[] =>
  z.object({ queues: z.array(queueSchema) }).parse(body).queues;

/** The queue of this name. */
export const queueIn = (answer: Answer, name: string): BoardQueue => {
  const queue = queuesIn(answer).find((candidate) => candidate.name === name);
  if (queue === undefined) throw new Error(`Expected a queue ${name} on the board, got none.`);
  return queue;
};

/** The job of an answer for one, with its state. */
export const jobIn = ({ body }: Answer) => z.object({ job: jobSchema, status: z.string() }).parse(body);

/** Why the board refused. */
export const refusalIn = ({ body }: Answer): string => z.object({ message: z.string() }).parse(body).message;
