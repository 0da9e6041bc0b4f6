/** The server: several simulated providers on one port, at `/<provider>/v1/...`, and the control routes at `/_/...`. */
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { CallRecord } from './call-log.ts';
import { callLog } from './call-log.ts';
import type { LimitChange } from './change-limit.ts';
import { changeLimit } from './change-limit.ts';
import { checkTiers } from './check-tiers.ts';
import type { Clock } from './clock.ts';
import { seededRandom, steadyClock } from './clock.ts';
import type { FaultRule } from './faults/fault.ts';
import { faultBook } from './faults/fault.ts';
import type { House } from './routes/route.ts';
import { serve } from './routes/route.ts';
import type { World } from './state.ts';
import { providerState } from './state.ts';
import type { SimulatorStats } from './stats.ts';
import { statsOf } from './stats.ts';
import type { SimulatedTier } from './tier.ts';

/** What to simulate. */
export interface SimulatorOptions {
  readonly tiers: readonly SimulatedTier[];
  /** Default none. */
  readonly faults?: readonly FaultRule[];
  /** Default 0: any free port. */
  readonly port?: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default the machine's. */
  readonly clock?: Clock;
  /** For jitter and fault probabilities. Default 1. */
  readonly seed?: number;
  /** Calls kept in the log. Default 200,000. */
  readonly keepCalls?: number;
}

/** A simulator that answers until it is closed. */
export interface RunningSimulator extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, without a slash at the end. */
  readonly url: string;
  /** The OpenAI base URL of a tier, up to `/v1`. Throws for an unknown id. */
  baseUrlOf(providerId: string): string;
  stats(): SimulatorStats;
  /** Ended calls above a sequence number, all by default. */
  calls(since?: number): readonly CallRecord[];
  /** Puts other fault rules in force. */
  setFaults(rules: readonly FaultRule[]): void;
  /** Another true amount of one limit; what is used stays used. Throws unless one limit is meant. */
  setLimit(change: LimitChange): void;
  /** As new: the tiers' own amounts, nothing used, nothing logged, time counted from now; the same fault rules. */
  reset(): void;
  /** Stops at once: open and hanging connections are destroyed, no timer is left. */
  close(): Promise<void>;
}

const DEFAULT_KEPT_CALLS = 200_000;
const DEFAULT_SEED = 1;
/** As long as real gateways: with Node's 5 s a pausing client would meet resets that no provider shows it. */
const KEEP_ALIVE_MS = 65_000;

/** Starts serving. Throws an error that lists every problem of the tiers; rejects when the port is taken. */
export async function startSimulator(options: SimulatorOptions): Promise<RunningSimulator> {
  checkTiers(options.tiers);
  const house: House = { world: newWorld(options, options.faults ?? []), timers: new Set(), reset: () => {} };
  house.reset = () => {
    house.world = newWorld(options, house.world.faults.rules());
  };
  const server = createServer((incoming, response) => {
    serve(house, incoming, response).catch(() => response.destroy());
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  await listen(server, options);
  return running(server, house, options);
}

function newWorld(options: SimulatorOptions, faults: readonly FaultRule[]): World {
  const clock = options.clock ?? steadyClock;
  const seed = options.seed ?? DEFAULT_SEED;
  return {
    clock,
    startedAtMs: clock.nowMs(),
    providers: new Map(options.tiers.map((tier) => [tier.id, providerState(tier)])),
    faults: faultBook(faults, seededRandom(seed)),
    log: callLog(options.keepCalls ?? DEFAULT_KEPT_CALLS),
    jitter01: seededRandom(seed + 1),
    admitted: 0,
  };
}

async function listen(server: Server, { port = 0, host = '127.0.0.1' }: SimulatorOptions): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function running(server: Server, house: House, options: SimulatorOptions): RunningSimulator {
  const address = server.address();
  if (address === null || typeof address === 'string')
    throw new Error('Expected the server to have a port, got none.');
  const url = `http://${options.host ?? '127.0.0.1'}:${address.port}`;
  const close = async () => {
    for (const timer of house.timers) clearTimeout(timer);
    house.timers.clear();
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  };
  return {
    url,
    baseUrlOf: (providerId) => baseUrlOf(url, providerId, house.world),
    stats: () => statsOf(house.world),
    calls: (since = 0) => house.world.log.since(since),
    setFaults: (rules) => house.world.faults.replace(rules),
    setLimit: (change) => changeLimit(house.world, change),
    reset: () => house.reset(),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function baseUrlOf(url: string, providerId: string, world: World): string {
  if (world.providers.has(providerId)) return `${url}/${providerId}/v1`;
  const known = [...world.providers.keys()].join(', ');
  throw new Error(`Expected \`providerId\` to be one of ${known}, got \`${providerId}\`.`);
}
