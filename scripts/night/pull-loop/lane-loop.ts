/**
 * One loop per call slot of a lane: pull the next document that fits, wait until every limit has room, call, and go by what
 * came back. What a good engineer writes in an afternoon with the `openai` SDK.
 */
import OpenAI from 'openai';
import type { NightLane } from '../least-possible/night-lanes.ts';
import type { NightDocument } from '../night.ts';
import type { DocumentBody } from '../document-line.ts';
import type { NightClock } from '../run/night-clock.ts';
import type { Backlog, Pulled } from './backlog.ts';
import type { Pacer } from './pacer.ts';

/** What a lane's loops share. */
export interface LaneLoop {
  readonly lane: NightLane;
  /** The documents that the lane would ever serve. */
  readonly servable: ReadonlySet<NightDocument>;
  /** What is sent, for whatever model. */
  readonly bodies: ReadonlyMap<NightDocument, DocumentBody>;
  readonly baseUrl: string;
  readonly pacer: Pacer;
  readonly backlog: Backlog;
  readonly clock: NightClock;
}

/** When a lane has nothing to do, it looks again after this long. */
const IDLE_MS = 2_000;
/** A document is held back no longer than this for a limit: then the lane stops until it has room, and others may have the document. */
const LONGEST_HOLD_MS = 90_000;
/** A document that failed on a lane goes to others for so long. */
const AVOID_MS = 120_000;
const FIRST_BACK_OFF_MS = 2_000;
const LONGEST_BACK_OFF_MS = 60_000;
/** Where a refusal does not say how long to wait. */
const UNSAID_WAIT_MS = 15_000;

/** What the loops of a lane know of its state: all of them stay away together. */
interface LaneState {
  awayUntilMs: number;
  failuresInARow: number;
}

/** Runs a lane until nothing is left that it could do. */
export const runLane = async (loop: LaneLoop): Promise<void> => {
  const { model } = loop.lane;
  const client = new OpenAI({ baseURL: loop.baseUrl, apiKey: 'none', maxRetries: 0, logLevel: 'off' });
  const state: LaneState = { awayUntilMs: 0, failuresInARow: 0 };
  const slots = Array.from({ length: model.concurrency ?? DEFAULT_CONCURRENCY }, () =>
    runSlot(loop, client, state),
  );
  await Promise.all(slots);
};

const DEFAULT_CONCURRENCY = 16;

const runSlot = async (loop: LaneLoop, client: OpenAI, state: LaneState): Promise<void> => {
  const { lane, servable, backlog, clock } = loop;
  const fits = (document: NightDocument): boolean => servable.has(document);
  while (backlog.hasWorkFor(fits)) {
    const nowMs = clock.nowMs();
    if (state.awayUntilMs > nowMs) {
      await clock.sleep(Math.min(IDLE_MS, state.awayUntilMs - nowMs));
      continue;
    }
    const pulled = backlog.pull(lane.id, fits, nowMs);
    if (pulled === null) await clock.sleep(IDLE_MS);
    else await serve(loop, client, { state, pulled });
  }
};

interface Serving {
  readonly state: LaneState;
  readonly pulled: Pulled;
}

/** Waits for room and calls; a long wait stops the lane instead. */
const serve = async (
  { lane, bodies, pacer, clock }: LaneLoop,
  client: OpenAI,
  { state, pulled }: Serving,
): Promise<void> => {
  const { document } = pulled;
  const body = bodies.get(document);
  if (body === undefined) throw new Error(`Expected a body for ${document.id}, got none.`);
  const atMost = pacer.sizeOf(document.promptTokens, document.capTokens);
  for (;;) {
    const nowMs = clock.nowMs();
    const waitMs = Math.max(pacer.waitMs(atMost, nowMs), state.awayUntilMs - nowMs);
    if (waitMs <= 0) break;
    if (waitMs > LONGEST_HOLD_MS) {
      state.awayUntilMs = nowMs + Math.min(waitMs, LONGEST_AWAY_MS);
      return pulled.putBack();
    }
    await clock.sleep(waitMs);
  }
  const paid = pacer.pay(atMost, clock.nowMs());
  try {
    const answer = await client.chat.completions.create({ ...body, model: lane.model.id });
    const usage = answer.usage;
    if (usage !== undefined)
      paid.correct(pacer.sizeOf(usage.prompt_tokens, usage.completion_tokens), clock.nowMs());
    state.failuresInARow = 0;
    pulled.done();
  } catch (error) {
    comeToTerms(error, { state, pulled, nowMs: clock.nowMs() });
  }
};

/** Whoever waits for a day looks again now and then: the next document may be smaller. */
const LONGEST_AWAY_MS = 10 * 60_000;

const comeToTerms = (
  error: unknown,
  { state, pulled, nowMs }: Serving & { readonly nowMs: number },
): void => {
  if (!(error instanceof OpenAI.APIError)) throw error;
  if (error.status === 429) {
    const seconds = Number(error.headers?.get('retry-after') ?? Number.NaN);
    const waitMs = Number.isFinite(seconds) ? seconds * 1_000 : UNSAID_WAIT_MS;
    state.awayUntilMs = Math.max(state.awayUntilMs, nowMs + waitMs);
    return pulled.putBack();
  }
  state.failuresInARow += 1;
  const backOffMs = Math.min(LONGEST_BACK_OFF_MS, FIRST_BACK_OFF_MS * 2 ** (state.failuresInARow - 1));
  // One failure is an accident of one call; from the second on it is the lane's.
  if (state.failuresInARow > 1) state.awayUntilMs = Math.max(state.awayUntilMs, nowMs + backOffMs);
  pulled.failed(nowMs + AVOID_MS);
};
