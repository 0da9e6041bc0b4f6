/**
 * A process that opens a data directory, for tests about several processes. Its argument is the options of
 * `openEmbeddedPostgres` as JSON. It says `opened` or `failed`, closes when it is sent anything, and then ends.
 */

import { openEmbeddedPostgres } from '../../../src/adapters/embedded-postgres/open.ts';

const say = (message: object): void => {
  process.send?.(message);
};

try {
  const server = await openEmbeddedPostgres({
    ...JSON.parse(process.argv[2] ?? ''),
    onWait: (sentence) => say({ kind: 'waiting', sentence }),
  });
  process.once('message', async () => {
    await server.close();
    process.disconnect();
  });
  say({ kind: 'opened', connection: server.connection });
} catch (error) {
  say({ kind: 'failed', reason: error instanceof Error ? error.message : String(error) });
  process.disconnect();
}
