/** From an open home to a service that stays up: its share of the night, the HTTP interface, the board. */
import { join } from 'node:path';
import { openBoard } from './adapters/board/open-board.ts';
import { leaveServiceNote, type ServiceNote } from './adapters/files/service-file.ts';
import { DEFAULT_PORT } from './adapters/http/addresses.ts';
import type { Readiness } from './adapters/http/readiness.ts';
import { serveHttp } from './adapters/http/serve.ts';
import { announcementOf, disagreements } from './app/announce.ts';
import { type Night, startNight } from './app/night.ts';
import type { Routing } from './app/ports.ts';
import type { Role, ServedLane } from './app/process-registry.ts';
import type { Config } from './config/config.ts';
import type { Nightshift, OpenQueues } from './wire.ts';

/** What a service is started with. */
export interface ServiceOptions {
  readonly roles: readonly Role[];
  readonly host: string;
  /** 0 is any free port; `null` listens only if the process is an api. */
  readonly port: number | null;
  /** Told what an operator should know, one sentence each, each once. */
  readonly onWarning: (warning: string) => void;
}

/** A service at work. Disposing gives its seat up and closes its interface; `drain` first, to lose no call. */
export interface Service extends AsyncDisposable {
  /** `null` where it does not listen. */
  readonly url: string | null;
  /** Stops granting and taking jobs, and waits for the calls under way. */
  drain(): Promise<void>;
  /** Aborts the calls under way. */
  abort(): void;
}

/** A batch that was cancelled is answered after this long, whatever is left to end. */
const CANCEL_PATIENCE_MS = 2_000;
/** How often the service looks at what other processes announce. */
const LOOK_AROUND_MS = 5_000;

/** Starts a process of these roles. Rejects with the way out where it may not, or cannot, listen. */
export const startService = async (
  nightshift: Nightshift,
  config: Config,
  options: ServiceOptions,
): Promise<Service> => {
  await using stack = new AsyncDisposableStack();
  const queues = await nightshift.openQueues();
  for (const warning of queues.warnings) options.onWarning(warning);
  const { url, note } = await listen({ nightshift, config, queues, options }, stack);
  const night = await beginShare(nightshift, config, queues, options.roles);
  stack.defer(() => night.drain());
  const looking = new AbortController();
  const looked = lookAround(nightshift, { options, note }, looking.signal);
  stack.defer(async () => {
    looking.abort();
    await looked;
  });
  const opened = stack.move();
  return {
    url,
    drain: () => night.drain(),
    abort: () => night.abort(),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
};

interface Listening {
  readonly nightshift: Nightshift;
  readonly config: Config;
  readonly queues: OpenQueues;
  readonly options: ServiceOptions;
}

const listen = async (
  { nightshift, config, queues, options }: Listening,
  stack: AsyncDisposableStack,
): Promise<{ readonly url: string | null; readonly note: ServiceNote | null }> => {
  const { roles, host, port } = options;
  const isApi = roles.includes('api');
  if (!isApi && port === null) return { url: null, note: null };
  const { log, stories, roll } = nightshift;
  const batches = nightshift.batches({ isServed: true, cancelPatienceMs: CANCEL_PATIENCE_MS });
  const board = isApi
    ? stack.use(
        openBoard({
          basePath: '/board',
          batches,
          stories,
          roll,
          queueOf: (laneId) => queues.queueOf(laneId),
          showsText: config.boardShowsText,
          log,
        }),
      )
    : null;
  const http = stack.use(
    await serveHttp({
      host,
      port: port ?? DEFAULT_PORT,
      token: config.keys.apiToken() ?? null,
      batches: isApi ? batches : null,
      probe: () => probe(nightshift, queues),
      board: board?.router ?? null,
      spoolDirectory: join(config.dataDirectory, 'spool'),
      log,
    }),
  );
  const note = isApi ? stack.use(await leaveServiceNote(config.dataDirectory, http.url)) : null;
  return { url: http.url, note };
};

const beginShare = async (
  nightshift: Nightshift,
  config: Config,
  queues: OpenQueues,
  roles: readonly Role[],
): Promise<Night> => {
  const { processes, routing } = nightshift;
  const announcement = announcementOf({ roles, routing, configHash: config.hash });
  const wantedOf = async (lanes: readonly ServedLane[]): Promise<readonly ServedLane[]> => {
    const wanted = await processes.wantedLaneIds();
    return lanes.filter(({ lane }) => wanted.has(lane.id));
  };
  const provider = await nightshift.openProvider();
  return await startNight(
    { ...nightshift, queues, provider, random01: Math.random },
    {
      announcement,
      dispatched: async () => await wantedOf(await processes.servedLanes()),
      worked: () => wantedOf(announcement.lanes),
    },
  );
};

/** Record and queues must answer; who else is at work is told, too. */
const probe = async ({ processes }: Nightshift, queues: OpenQueues): Promise<Readiness> => {
  const live = await processes.processes().catch((error: Error) => error);
  const queue = await queues.ping().then(
    () => null,
    (error: Error) => error,
  );
  const count = (role: Role): number =>
    live instanceof Error ? 0 : live.filter(({ roles }) => roles.includes(role)).length;
  const crew = (role: Role) => ({
    ok: count(role) > 0,
    detail: count(role) === 0 ? `no live ${role}: nothing moves without one` : `${count(role)} live`,
  });
  return {
    isReady: !(live instanceof Error) && queue === null,
    checks: {
      record:
        live instanceof Error
          ? { ok: false, detail: `PostgreSQL does not answer: ${live.message}` }
          : { ok: true, detail: 'PostgreSQL answers' },
      queues:
        queue === null
          ? { ok: true, detail: 'the queues answer' }
          : { ok: false, detail: `the queues do not answer: ${queue.message}` },
      dispatchers: crew('dispatcher'),
      workers: crew('worker'),
    },
  };
};

interface Around {
  readonly options: ServiceOptions;
  readonly note: ServiceNote | null;
}

/**
 * Looks at what the others announce, again and again: lanes that are new are added to the batches in progress, whatever
 * the processes disagree about is said once, and when they agree again, what they agree on is in force. Never rejects.
 */
const lookAround = async (
  { processes, currentRouting, store, clock, log, assertLimits }: Nightshift,
  { options: { roles, onWarning }, note }: Around,
  signal: AbortSignal,
): Promise<void> => {
  const said = new Set<string>();
  let disagreed = false;
  let known: Routing | null = null;
  while (!signal.aborted) {
    try {
      await note?.renew();
      const routing = await currentRouting();
      if (roles.includes('api') && routing !== known && routing.providers.length > 0) {
        for (const batchId of await store.servedBatchIds()) await store.addLanes(batchId, routing);
        known = routing;
      }
      const warnings = disagreements(await processes.processes());
      // Whoever disagreed has gone, and left its limits in force.
      if (disagreed && warnings.length === 0) await assertLimits();
      disagreed = warnings.length > 0;
      for (const warning of warnings) {
        if (said.has(warning)) continue;
        said.add(warning);
        log.warn({ warning }, 'limits.disagreed');
        onWarning(warning);
      }
    } catch (error) {
      log.error({ err: error }, 'look-around.failed');
    }
    await clock.sleepUntil(clock.nowMs() + LOOK_AROUND_MS, signal);
  }
};
