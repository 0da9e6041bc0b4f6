/** One thread that plans, from its start to its end. */
import { Worker } from 'node:worker_threads';
import type { Plan } from '../../core/plan/plan.ts';
import type { Situation } from '../../core/plan/situation.ts';

/** What the thread answers to a situation. */
export type PlanAnswer =
  | { readonly kind: 'planned'; readonly plan: Plan }
  | { readonly kind: 'failed'; readonly reason: string };

/** What is asked of the thread. */
export interface PlanThread {
  /** Answered once by {@link PlanThreadListener.onAnswer}, unless the thread dies. Until then it keeps the process alive. */
  readonly send: (situation: Situation) => void;
  /** Nothing is asked of it for now: the process may end. */
  readonly rest: () => void;
  /** Ends it; nothing more is heard of it. Resolves when it is gone. */
  readonly end: () => Promise<void>;
}

/** Who is told what the thread does. */
export interface PlanThreadListener {
  readonly onAnswer: (answer: PlanAnswer) => void;
  /** It is gone, unasked; why, in words. Called at most once. */
  readonly onDeath: (reason: string) => void;
}

/** How much of its last words is kept, in characters. */
const LAST_WORDS = 500;

/** Starts `entry`. It gets neither our environment, which holds keys, nor our output, which may be somebody's JSON. */
export const startPlanThread = (entry: URL, { onAnswer, onDeath }: PlanThreadListener): PlanThread => {
  const worker = new Worker(entry, {
    name: 'nightshift plan',
    env: {},
    execArgv: [],
    stdout: true,
    stderr: true,
  });
  const onEnd = (reason: string): void => {
    worker.removeAllListeners();
    // A second complaint of one that is dying is nobody's business.
    worker.on('error', () => {});
    // Read at the end only: who listens to a thread's output keeps the process alive.
    const lastWords = String(worker.stderr.read() ?? '')
      .trim()
      .slice(-LAST_WORDS);
    onDeath(lastWords === '' ? reason : `${reason}: ${lastWords}`);
  };
  worker.on('message', (answer: PlanAnswer) => onAnswer(answer));
  worker.once('error', (error: unknown) => onEnd(error instanceof Error ? error.message : String(error)));
  worker.once('exit', (code) => onEnd(`it ended with ${code}`));
  return {
    send: (situation) => {
      worker.ref();
      worker.postMessage(situation, []);
    },
    rest: () => worker.unref(),
    end: async () => {
      worker.removeAllListeners();
      worker.on('error', () => {});
      await worker.terminate();
    },
  };
};
