/** Hears `wake_dispatchers` of every process through LISTEN/NOTIFY. */
import type { WakeSignal } from '../../app/ports.ts';
import type { PostgresAddress } from './connect.ts';
import { openStandingConnection } from './standing-connection.ts';

/** The channel of `wake_dispatchers` in the record. */
const CHANNEL = 'nightshift_wake';

/** Opens the signal. After a lost connection everybody is woken once, since something may have been missed. */
export const openWakeSignal = async (
  address: PostgresAddress,
  onError: (error: Error) => void,
): Promise<WakeSignal & AsyncDisposable> => {
  const listeners = new Set<(providerId: string) => void>();
  const wake = (providerId: string): void => {
    for (const listener of listeners) listener(providerId);
  };
  const connection = await openStandingConnection(
    address,
    async (client) => {
      client.on('notification', (message) => wake(message.payload ?? '*'));
      await client.query(`LISTEN ${CHANNEL}`);
      wake('*');
    },
    onError,
  );
  return {
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async [Symbol.asyncDispose]() {
      listeners.clear();
      await connection[Symbol.asyncDispose]();
    },
  };
};
