/** One long-lived connection that comes back by itself: for LISTEN and for session locks. */
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { type PostgresAddress, recordClientConfig } from './connect.ts';

/** A connection that is made again whenever it breaks. */
export interface StandingConnection extends AsyncDisposable {
  /** Runs on the present connection; does nothing and answers `false` while there is none. */
  use(work: (client: pg.Client) => Promise<unknown>): Promise<boolean>;
}

const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 2_000;

/**
 * Connects, runs `setUp`, and does both again after every loss, with a growing delay of 50 ms to 2 s.
 *
 * @throws if the first connection or its `setUp` fails; later failures go to `onError`.
 */
export const openStandingConnection = async (
  address: PostgresAddress,
  setUp: (client: pg.Client) => Promise<void>,
  onError: (error: Error) => void,
): Promise<StandingConnection> => {
  let current: pg.Client | null = null;
  const closing = new AbortController();
  const isClosed = (): boolean => closing.signal.aborted;

  const connect = async (): Promise<void> => {
    const client = new pg.Client(recordClientConfig(address));
    client.on('error', onError);
    await client.connect();
    try {
      await setUp(client);
    } catch (error) {
      await client.end();
      throw error;
    }
    current = client;
    client.once('end', () => {
      current = null;
      if (!isClosed()) void reconnect();
    });
  };

  const reconnect = async (): Promise<void> => {
    for (let waitMs = FIRST_RETRY_MS; !isClosed(); waitMs = Math.min(waitMs * 2, LONGEST_RETRY_MS)) {
      await delay(waitMs);
      if (isClosed()) return;
      try {
        await connect();
        return;
      } catch (error) {
        onError(error instanceof Error ? error : new Error(String(error)));
      }
    }
  };

  await connect();
  return {
    async use(work) {
      if (current === null) return false;
      await work(current);
      return true;
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
      await current?.end();
    },
  };
};
