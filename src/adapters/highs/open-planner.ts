/**
 * A planner in a thread of its own: to solve blocks whoever does it, and what it takes is large. The thread is there while
 * there is something to plan, and for a while after.
 */
import type { Planner } from '../../app/planning.ts';
import type { Plan } from '../../core/plan/plan.ts';
import type { Situation } from '../../core/plan/situation.ts';
import { type PlanAnswer, type PlanThread, startPlanThread } from './plan-thread.ts';

/** How long the thread is kept and waited for, and what it is. All in milliseconds. */
export interface PlannerOptions {
  /** How long it stays with nothing to plan. Default: 30 s. */
  readonly lingerMs?: number;
  /** A plan that takes longer is given up, and the thread with it. Default: 60 s; most plans take less than one. */
  readonly patienceMs?: number;
  /** What the thread runs; the real one unless said. */
  readonly entry?: URL;
}

/** A {@link Planner} that starts on first use; disposing ends it, and what waits for a plan is rejected. */
export interface ThreadPlanner extends Planner, AsyncDisposable {
  /** Whether its thread is there now. */
  readonly isRunning: () => boolean;
}

/** What was asked and not answered yet. */
interface Order {
  readonly situation: Situation;
  readonly answer: PromiseWithResolvers<Plan>;
}

const PLAN_WORKER = new URL('./plan-worker.ts', import.meta.url);
const LINGER_MS = 30_000;
const PATIENCE_MS = 60_000;

/**
 * A planner without a thread yet. It makes one plan at a time; of the situations that come meanwhile only the newest is
 * planned, and whoever asked with an older one gets that plan. Rejects if the plan fails, the thread dies, or it takes too
 * long; the next plan is then made by a new thread.
 */
export const openPlanner = ({
  lingerMs = LINGER_MS,
  patienceMs = PATIENCE_MS,
  entry = PLAN_WORKER,
}: PlannerOptions = {}): ThreadPlanner => {
  let thread: PlanThread | null = null;
  let current: Order | null = null;
  let waiting: Order | null = null;
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;

  const endThread = async (): Promise<void> => {
    const ended = thread?.end();
    thread = null;
    await ended;
  };
  const giveUp = (reason: string): void => {
    current?.answer.reject(new Error(`Expected a plan, but the solver failed: ${reason}.`));
    // What has failed once may have left the solver in pieces.
    void endThread();
    next();
  };
  const onAnswer = (answer: PlanAnswer): void => {
    if (answer.kind === 'failed') return giveUp(answer.reason);
    current?.answer.resolve(answer.plan);
    next();
  };
  const onDeath = (reason: string): void => {
    thread = null;
    giveUp(reason);
  };
  const linger = (): void => {
    thread?.rest();
    timer = setTimeout(() => void endThread(), lingerMs).unref();
  };
  const readyThread = (): PlanThread => (thread ??= startPlanThread(entry, { onAnswer, onDeath }));
  const next = (): void => {
    clearTimeout(timer);
    current = waiting;
    waiting = null;
    if (current === null) {
      linger();
      return;
    }
    readyThread().send(current.situation);
    timer = setTimeout(() => giveUp(`it took longer than ${patienceMs / 1_000} s`), patienceMs);
  };
  return {
    isRunning: () => thread !== null,
    prepare() {
      if (isStopped || thread !== null) return;
      readyThread();
      linger();
    },
    plan: async (situation) => {
      if (isStopped) throw new Error(STOPPED);
      const { answer } = (waiting = { situation, answer: waiting?.answer ?? Promise.withResolvers<Plan>() });
      if (current === null) next();
      return await answer.promise;
    },
    async [Symbol.asyncDispose]() {
      isStopped = true;
      clearTimeout(timer);
      for (const order of [current, waiting]) order?.answer.reject(new Error(STOPPED));
      waiting = null;
      await endThread();
    },
  };
};

const STOPPED = 'Expected a planner that is open, got one that was closed.';
