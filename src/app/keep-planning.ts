/** Keeps a plan in force while there is something to plan, and says when batches will be done. */
import { finishingOrder, type Forecasts, forecastsOf, situationUntil } from '../core/plan/forecast.ts';
import { countLeft } from '../core/plan/by-deadline.ts';
import type { Plan } from '../core/plan/plan.ts';
import type { PlanBook } from './plan-book.ts';
import { type Payment, withoutMoney } from '../core/plan/payments.ts';
import type { Situation } from '../core/plan/situation.ts';
import type { ForecastBook, Payments, Planner, RealTime, SituationReader } from './planning.ts';
import type { Log, WakeSignal } from './ports.ts';
import type { ServedLane } from './process-registry.ts';

/** What planning needs. */
export interface PlanningTools {
  readonly reader: SituationReader;
  readonly planner: Planner;
  readonly forecasts: ForecastBook;
  readonly payments: Payments;
  readonly realTime: RealTime;
}

interface KeepPlanningTools extends PlanningTools {
  readonly book: PlanBook;
  readonly wake: WakeSignal;
  readonly log: Log;
  /** Told when nothing is to be gained by waiting for a plan: there is one, or none for now, or enough calls at once for all. */
  readonly onReady?: () => void;
}

/** Plans are made this far apart, all in real milliseconds. A plan costs processor time, however fast the record's clock runs. */
const PLAN_EVERY_MS = 2_000;
/** The same where there is news, or will be. */
const LEAST_PAUSE_MS = 500;
/** Where nothing waits it is looked again after this long: nobody tells when the hours of a batch begin. */
const IDLE_MS = 15_000;
/** Reading takes a twentieth of a connection at most, and solving a tenth of a processor. */
const PAUSE_PER_READ = 20;
const PAUSE_PER_PLAN = 9;
/** A plan is in force for so long at least, and for this many of the pauses after which the next one should come. */
const LEAST_FORCE_MS = 60_000;
const FORCE_PER_PAUSE = 3;
/** Clocks of processes and of the record may differ by so much. */
const CLOCKS_DIFFER_MS = 250;
/** Batches that get a plan of their own for their forecast, beside the one of all; what is beyond is done by then at the latest. */
const MOST_FORECASTS = 4;

/**
 * Plans at once and then again and again on the lanes that `lanes` answers: every 2 s, within half a second when a lane
 * opened, a batch came or a first answer is awaited, later where planning is dear; while nothing waits it only looks, every
 * 15 s. Never rejects: errors are logged, and planning goes on. Without a plan everything works as if nobody planned.
 */
export const keepPlanning = async (
  tools: KeepPlanningTools,
  lanes: () => Promise<readonly ServedLane[]>,
  signal: AbortSignal,
): Promise<void> => {
  const { wake, realTime, log, planner, onReady } = tools;
  planner.prepare?.();
  const isOver = aborted(signal);
  let news = new AbortController();
  let isIdle = true;
  const stopListening = wake.listen((woken) => {
    if (woken === '*' || isIdle) news.abort();
  });
  let forecasts: Forecasts = new Map();
  let lastCost = NO_COST;
  const round = async (): Promise<Pause> => {
    try {
      const wasIdle = isIdle;
      const { cost, isAwaiting, ...made } = await planOnce(tools, lanes, forecasts);
      const pause = pauseAfter(lesserOf(cost, lastCost));
      // The next plan comes soon whatever this one took; so may the one after it, where there is news.
      lastCost = wasIdle ? NO_COST : cost;
      ({ forecasts, isIdle } = made);
      if (isIdle) return { ...pause, mostMs: Math.max(pause.mostMs, IDLE_MS) };
      return wasIdle || isAwaiting ? { ...pause, mostMs: pause.leastMs } : pause;
    } catch (error) {
      // One that was cut short by the end is no news.
      if (!signal.aborted) log.error({ err: error }, 'plan.failed');
      return { leastMs: PLAN_EVERY_MS, mostMs: PLAN_EVERY_MS };
    } finally {
      onReady?.();
    }
  };
  while (!signal.aborted) {
    news = new AbortController();
    const pause = await Promise.race([round(), isOver]);
    if (pause === null) break;
    await realTime.sleep(pause.leastMs, signal);
    await realTime.sleep(pause.mostMs - pause.leastMs, AbortSignal.any([news.signal, signal]));
  }
  stopListening();
};

/** How long to wait for the next plan: at most, and where there is news. */
interface Pause {
  readonly leastMs: number;
  readonly mostMs: number;
}

/** What a plan took. */
interface Cost {
  readonly readMs: number;
  readonly planMs: number;
}

const NO_COST: Cost = { readMs: 0, planMs: 0 };

interface Round {
  readonly cost: Cost;
  readonly isIdle: boolean;
  /** The first answer of a lane, which will change the plan. */
  readonly isAwaiting: boolean;
  readonly forecasts: Forecasts;
}

const planOnce = async (
  tools: KeepPlanningTools,
  lanes: () => Promise<readonly ServedLane[]>,
  before: Forecasts,
): Promise<Round> => {
  const { reader, realTime, payments, book, log } = tools;
  const beganAtMs = realTime.nowMs();
  const situation = await reader.read(await lanes());
  const readAtMs = realTime.nowMs();
  const readMs = readAtMs - beganAtMs;
  if (isSoonUnderWay(situation)) tools.onReady?.();
  const order = finishingOrder(situation);
  const last = order.at(-1);
  const plans = new Map<number, Plan>();
  const allow = async (paid: readonly Payment[], forMs: number): Promise<void> => {
    for (const payment of paid) {
      const countedAtMs = Math.min(beganAtMs, readAtMs - countedBeforeMs(situation, payment));
      await payments.allow(payment, { ageMs: realTime.nowMs() - countedAtMs + CLOCKS_DIFFER_MS, forMs });
    }
  };
  if (last === undefined) await allow(nothingMore(situation), LEAST_FORCE_MS);
  else {
    const plan = await tools.planner.plan(situation);
    const planMs = realTime.nowMs() - readAtMs;
    const forMs = forceOf(pauseAfter({ readMs, planMs: planMs * (1 + MOST_FORECASTS) }));
    book.adopt(plan, forMs);
    plans.set(last, plan);
    await allow(plan.payments, forMs);
    log.info(sumUp(plan, situation.lanes, { readMs, planMs }), 'plan.made');
  }
  for (const batchId of order.slice(0, -1).slice(0, MOST_FORECASTS))
    plans.set(batchId, await tools.planner.plan(withoutMoney(situationUntil(situation, batchId))));
  const planMs = realTime.nowMs() - readAtMs;
  const forecasts = forecastsOf({ situation, plans, before });
  await tools.forecasts.store(forecasts);
  return {
    cost: { readMs, planMs },
    isIdle: last === undefined,
    isAwaiting: situation.lanes.some(({ guess }) => guess === 'awaited'),
    forecasts,
  };
};

/** How long before a situation was read the oldest count is of what waits in a batch. */
const countedBeforeMs = ({ routes }: Situation, { batchId }: Payment): number =>
  Math.max(0, ...routes.map((route) => (route.batchId === batchId ? (route.countedBeforeMs ?? 0) : 0)));

/** Of every batch that could pay. */
const nothingMore = ({ routes }: Situation): readonly Payment[] => {
  const paying = routes.filter(({ pays }) => pays !== undefined).map(({ batchId }) => batchId);
  return [...new Set(paying)].map((batchId) => ({ batchId, requests: 0, isCovered: true }));
};

/** Whether all that waits can be called at once, as far as that hangs on calls at once. */
const isSoonUnderWay = ({ cells, lanes }: Situation): boolean =>
  cells.reduce((sum, { count }) => sum + count, 0) <= lanes.reduce((sum, { slots }) => sum + slots, 0);

const sumUp = (
  plan: Plan,
  lanes: Situation['lanes'],
  { readMs, planMs }: Cost,
): Readonly<Record<string, unknown>> => ({
  madeAtMs: plan.madeAtMs,
  finishAtMs: plan.finishAtMs,
  undone: countLeft(plan.undone),
  untriedLanes: lanes.filter(({ slots, guess }) => slots > 0 && guess !== undefined).length,
  unplannable: plan.unplannable.length,
  readMs: Math.round(readMs),
  planMs: Math.round(planMs),
});

/** Of two plans in a row: the first one starts the solver, and any may have met a busy machine. */
const lesserOf = (a: Cost, b: Cost): Cost => ({
  readMs: Math.min(a.readMs, b.readMs),
  planMs: Math.min(a.planMs, b.planMs),
});

const pauseAfter = ({ readMs, planMs }: Cost): Pause => {
  const leastMs = Math.max(LEAST_PAUSE_MS, readMs * PAUSE_PER_READ, planMs * PAUSE_PER_PLAN);
  return { leastMs, mostMs: Math.max(PLAN_EVERY_MS, leastMs) };
};

const forceOf = ({ mostMs }: Pause): number => Math.max(LEAST_FORCE_MS, mostMs * FORCE_PER_PAUSE);

const aborted = (signal: AbortSignal): Promise<null> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve(null);
    else signal.addEventListener('abort', () => resolve(null), { once: true });
  });
