/** Plays a night of commands on an implementation and keeps a log of every call, as the provider will see it. */
import type { TokenEstimate, TokenUsage, UnitCost } from '../../src/core/model.ts';
import type { QuotaScope, Settlement } from '../../src/core/quota/quota.ts';
import { windowEndMs } from '../../src/core/quota/window.ts';
import { type Command, LANES, type Night, PROVIDER } from './quota-commands.ts';
import type { ProvidersCall } from './quota-provider.ts';
import type { Answer, QuotaUnderTest } from './quota-under-test.ts';

/** A grant and what became of it. */
export interface LoggedGrant {
  readonly grant: number;
  readonly scopes: readonly string[];
  readonly estimate: TokenEstimate;
  readonly unitCost: UnitCost;
  grantedAtMs: number;
  readonly arrival01: number;
  state: 'granted' | 'begun' | 'lost' | 'ended' | 'released';
  /** When it began, and when it ended, by the provider's clock. */
  begunAtMs: number;
  endedAtMs: number | null;
  actual: TokenEstimate;
  reachedProvider: boolean;
}

/** A night under way. */
export interface Play {
  readonly quota: QuotaUnderTest;
  readonly scopes: readonly QuotaScope[];
  nowMs: number;
  /** By how much our clock is ahead of the provider's since it was set. */
  aheadMs: number;
  /** In the order of being granted. */
  readonly grants: LoggedGrant[];
  /** In the order of beginning. */
  readonly begun: LoggedGrant[];
  /** The instant that the last refusal named, if any. */
  roomAtMs: number | null;
  /** Called for every refusal; see the suite. */
  readonly onRefusal: (play: Play, order: Order, refusal: Refusal) => Promise<void>;
}

/** A call to ask for. */
export interface Order {
  readonly scopes: readonly string[];
  readonly estimate: TokenEstimate;
  readonly arrival01: number;
  readonly beginsAtOnce: boolean;
}

export type Refusal = Extract<Answer, { readonly kind: 'refused' }>;

/** Plays a night; refusals are not looked into unless asked for. */
export const playNight = async (
  quota: QuotaUnderTest,
  { scopes, startsAtMs, commands }: Night,
  onRefusal: Play['onRefusal'] = async () => undefined,
): Promise<Play> => {
  await quota.reset(scopes, startsAtMs);
  const play: Play = {
    quota,
    scopes,
    nowMs: startsAtMs,
    aheadMs: 0,
    grants: [],
    begun: [],
    roomAtMs: null,
    onRefusal,
  };
  for (const command of commands) {
    await playCommand(play, command);
    await quota.audit();
    checkConcurrency(play);
  }
  return play;
};

/** Moves the night's clock; never backwards. */
export const waitUntil = async (play: Play, atMs: number): Promise<void> => {
  play.nowMs = Math.max(play.nowMs, atMs);
  await play.quota.setClock(play.nowMs);
};

/** Asks for one call; logs the grant, or what the refusal named. */
export const placeOrder = async (play: Play, order: Order): Promise<Answer> => {
  const answer = await play.quota.reserve(order.scopes, order.estimate);
  if (answer.kind === 'refused') {
    play.roomAtMs = answer.roomAtMs;
    return answer;
  }
  const logged = logGrant(play, order, answer.grant);
  if (order.beginsAtOnce) await begin(play, logged);
  return answer;
};

const logGrant = (play: Play, { scopes, estimate, arrival01 }: Order, grant: number): LoggedGrant => {
  const logged: LoggedGrant = {
    grant,
    scopes,
    estimate,
    unitCost: play.scopes.find(({ id }) => id === scopes[0])?.unitCost ?? { input: 0, output: 0 },
    grantedAtMs: play.nowMs,
    arrival01,
    state: 'granted',
    begunAtMs: 0,
    endedAtMs: null,
    actual: estimate,
    reachedProvider: true,
  };
  play.grants.push(logged);
  return logged;
};

/** Ends every call that is still open, and gives back what has not begun. */
export const endAll = async (play: Play): Promise<void> => {
  await waitUntil(play, play.nowMs + 1);
  await play.quota.expire();
  releaseOld(play);
  for (const call of inState(play, 'begun'))
    await settle(play, call, { settlement: 'usage', actual01: 1, late01: 0 });
};

/** The calls that reached the provider and count against this scope. */
export const callsOn = (play: Play, scope: string): ProvidersCall[] =>
  play.begun.filter((call) => call.reachedProvider && call.scopes.includes(scope));

const playCommand = async (play: Play, command: Command): Promise<void> => {
  switch (command.kind) {
    case 'reserve':
      return await playReserve(play, command);
    case 'begin':
      return await withPicked(inState(play, 'granted'), command.pick, (call) => begin(play, call));
    case 'settle':
      return await withPicked(inState(play, 'begun', 'lost'), command.pick, (call) =>
        settle(play, call, command),
      );
    case 'crash':
      await play.quota.crash();
      releaseOld(play);
      for (const call of inState(play, 'begun')) call.state = 'lost';
      return undefined;
    case 'expire':
      await play.quota.expire();
      return releaseOld(play);
    case 'wait':
      return await waitUntil(play, play.nowMs + command.ms);
    case 'step':
      return await stepClock(play, command.ms);
    case 'wait-for-room':
      return await waitUntil(play, (play.roomAtMs ?? play.nowMs) + command.offsetMs);
    case 'wait-for-boundary':
      return await withPicked(boundariesMs(play), command.pick, (atMs) =>
        waitUntil(play, atMs + command.offsetMs),
      );
  }
};

/** What we noted of grants moves with our clock; what the provider has seen does not. */
const stepClock = async (play: Play, byMs: number): Promise<void> => {
  play.nowMs += byMs;
  play.aheadMs += byMs;
  play.roomAtMs = null;
  for (const call of play.grants) call.grantedAtMs += byMs;
  await play.quota.stepClock(byMs);
};

const playReserve = async (
  play: Play,
  { lane, promptTokens, outputTokens, beginsAtOnce, arrival01 }: Extract<Command, { kind: 'reserve' }>,
): Promise<void> => {
  const order: Order = {
    scopes: [LANES[lane], PROVIDER],
    estimate: { promptTokens, outputTokens },
    arrival01,
    beginsAtOnce,
  };
  const answer = await placeOrder(play, order);
  if (answer.kind === 'refused') await play.onRefusal(play, order, answer);
};

const begin = async (play: Play, call: LoggedGrant): Promise<void> => {
  const begunAtMs = await play.quota.begin(call.grant);
  call.state = begunAtMs === null ? 'released' : 'begun';
  call.begunAtMs = (begunAtMs ?? 0) - play.aheadMs;
  if (begunAtMs !== null) play.begun.push(call);
};

const settle = async (
  play: Play,
  call: LoggedGrant,
  {
    settlement: kind,
    actual01,
    late01,
  }: Pick<Extract<Command, { kind: 'settle' }>, 'settlement' | 'actual01' | 'late01'>,
): Promise<void> => {
  const promptTokens = kind === 'request' ? 0 : Math.floor(call.estimate.promptTokens * actual01);
  const isAnswered = kind === 'usage' || kind === 'estimate';
  const outputTokens = isAnswered ? Math.floor(call.estimate.outputTokens * actual01) : 0;
  const usage = { promptTokens, completionTokens: outputTokens };
  const begunAtMs = call.begunAtMs + play.aheadMs;
  const sentAtMs =
    late01 === 0 ? null : Math.max(begunAtMs, Math.floor(begunAtMs + late01 * (play.nowMs - begunAtMs)));
  await play.quota.settle(call.grant, settlementOf(kind, usage, call.estimate.promptTokens), sentAtMs);
  call.state = 'ended';
  call.endedAtMs = Math.max(play.nowMs - play.aheadMs, call.begunAtMs);
  call.actual = { promptTokens, outputTokens };
  call.reachedProvider = kind !== 'release';
};

const settlementOf = (kind: Settlement['kind'], usage: TokenUsage, promptTokens: number): Settlement => {
  switch (kind) {
    case 'usage':
      return { kind, usage };
    case 'prompt':
      return { kind, promptTokens };
    case 'estimate':
    case 'request':
    case 'release':
      return { kind };
  }
};

const releaseOld = (play: Play): void => {
  for (const call of inState(play, 'granted')) {
    if (call.grantedAtMs < play.nowMs) call.state = 'released';
  }
};

const inState = (play: Play, ...states: readonly LoggedGrant['state'][]): LoggedGrant[] =>
  play.grants.filter((call) => states.includes(call.state));

const withPicked = async <T>(
  items: readonly T[],
  pick: number,
  work: (item: T) => Promise<void>,
): Promise<void> => {
  const item = items[pick % items.length];
  if (item !== undefined) await work(item);
};

/** Where something may change: ends of windows and of what recent calls hold, on both sides of the margin. */
const boundariesMs = (play: Play): number[] => {
  const windows = play.scopes.flatMap((scope) => scope.limits.map((limit) => limit.window));
  const recent = play.begun.slice(-4).map((call) => call.begunAtMs + play.aheadMs);
  const instants = windows.flatMap((window) => {
    if (window.kind === 'rolling' || window.kind === 'refill' || window.kind === 'session') {
      const marginMs = Math.min(2_000, Math.ceil(window.perMs / 50));
      return recent.flatMap((atMs) => [atMs + marginMs, atMs + window.perMs, atMs + window.perMs + marginMs]);
    }
    const endMs = windowEndMs(window, play.nowMs);
    const marginMs = window.kind === 'fixed' ? Math.min(2_000, Math.ceil(window.perMs / 50)) : 2_000;
    return [endMs - marginMs, endMs, endMs + marginMs];
  });
  return instants.filter((atMs) => atMs >= play.nowMs);
};

const checkConcurrency = (play: Play): void => {
  for (const { id, concurrency } of play.scopes) {
    const underWay = inState(play, 'begun').filter((call) => call.scopes.includes(id)).length;
    if (concurrency !== null && underWay > concurrency) {
      throw new Error(`Expected at most ${concurrency} calls under way on ${id}, got ${underWay}.`);
    }
  }
};
