/**
 * A process that reserves, over and over, on one connection of its own; or asks PostgreSQL for nothing, likewise.
 * Run as a child, which does what it is told one message at a time.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type pg from 'pg';
import { z } from 'zod';
import { addressOf, connectRecord } from '../../src/adapters/postgres/connect.ts';
import { postgresGrantLedger } from '../../src/adapters/postgres/grant-ledger.ts';
import type { Lane } from '../../src/core/model.ts';
import { endOf } from './child-process.ts';

/** What one process did in one turn. */
const done = z.object({ count: z.number(), elapsedMs: z.number() });
export type Done = z.infer<typeof done>;

/** One turn's work: `lanes` to reserve on in rotation, none for bare round trips. */
export interface Turn {
  readonly lanes: readonly Lane[];
  /** Requests that one transaction may take. */
  readonly grantsAtOnce: number;
  readonly durationMs: number;
}

/** A child process that is ready. Disposing ends it. */
export interface Reserver extends AsyncDisposable {
  work(turn: Turn): Promise<Done>;
}

/** Starts one on the record at this URL; it is connected when this resolves. */
export const startReserver = async (url: string): Promise<Reserver> => {
  const child = fork(fileURLToPath(import.meta.url), [url]);
  const ended = endOf(child);
  const next = async (): Promise<unknown> => {
    const early = ended.then(() => {
      throw new Error('Expected the reserving process to answer, but it ended.');
    });
    const [message] = await Promise.race([once(child, 'message'), early]);
    return message;
  };
  await next();
  return {
    async work(turn) {
      const answer = next();
      child.send(turn);
      return done.parse(await answer);
    },
    async [Symbol.asyncDispose]() {
      child.disconnect();
      await ended;
    },
  };
};

/** Given back so many at a time, which adds about a tenth to each reservation. */
const GIVEN_BACK_AT_ONCE = 32;

/** Until the time is over; what was reserved is given back by then, so that the next turn finds the same record. */
const takeTurn = async (pool: pg.Pool, turn: Turn): Promise<Done> => {
  const startedAtMs = performance.now();
  const isOver = (): boolean => performance.now() - startedAtMs >= turn.durationMs;
  const count =
    turn.lanes.length === 0 ? await askForNothing(pool, isOver) : await reserve(pool, turn, isOver);
  return { count, elapsedMs: performance.now() - startedAtMs };
};

const askForNothing = async (pool: pg.Pool, isOver: () => boolean): Promise<number> => {
  let count = 0;
  for (; !isOver(); count += 1) await pool.query({ name: 'nothing', text: 'SELECT 1' });
  return count;
};

const reserve = async (
  pool: pg.Pool,
  { lanes, grantsAtOnce }: Turn,
  isOver: () => boolean,
): Promise<number> => {
  const ledger = postgresGrantLedger(pool);
  let held: readonly number[] = [];
  let count = 0;
  for (let place = process.pid; !isOver(); place += 1) {
    const lane = lanes[place % lanes.length];
    if (lane === undefined) throw new Error('Expected lanes to reserve on, got none.');
    const granted = await ledger.grant({
      lane,
      targetTokens: targetTokens(),
      wishes: null,
      atMost: grantsAtOnce,
    });
    const grantIds = granted.slices.flat();
    if (grantIds.length === 0)
      throw new Error(`Expected ${lane.id} to grant requests, got none (${granted.stoppedBy}).`);
    count += grantIds.length;
    held = [...held, ...grantIds];
    if (held.length < GIVEN_BACK_AT_ONCE) continue;
    await giveBack(pool, held);
    held = [];
  }
  await giveBack(pool, held);
  return count;
};

/** Lanes want calls of different sizes, and so do not all look for the same request. */
const targetTokens = (): number => 420 + Math.floor(Math.random() * 2_000);

const giveBack = async (pool: pg.Pool, grantIds: readonly number[]): Promise<void> => {
  await pool.query({ name: 'give-back', text: 'SELECT release_grants($1, $2)', values: [grantIds, 'bench'] });
};

const serve = async (url: string): Promise<void> => {
  const pool = connectRecord(addressOf(url), (error) => console.error(error));
  await pool.query('SELECT 1');
  // What comes over the channel was sent by startReserver, above.
  process.on('message', (turn: Turn) => {
    void takeTurn(pool, turn).then(
      (result) => process.send?.(result),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
  process.once('disconnect', () => process.exit());
  process.send?.('ready');
};

if (import.meta.main) await serve(process.argv[2] ?? '');
