/** The fake keeps the contract, and so does the client of a service that serves the fake: HTTP changes nothing. */
import { batchesOver } from '../../../src/adapters/http/batches-client.ts';
import { batchesContract } from '../../contracts/batches-contract.ts';
import { fakeBatches } from './fake-batches.ts';
import { FAKE_LANE, FAKE_POOL } from './fake-lane.ts';
import { serving, TOKEN } from './serving.ts';

batchesContract('in memory', async () => {
  const batches = fakeBatches();
  return {
    batches,
    pool: FAKE_POOL,
    laneId: FAKE_LANE,
    finish: (batchId, lines) => batches.finish(batchId, lines),
    settle: async () => {},
    [Symbol.asyncDispose]: async () => {},
  };
});

batchesContract('over HTTP', async () => {
  const served = await serving({ token: TOKEN });
  return {
    batches: batchesOver({ url: served.url, token: TOKEN }),
    pool: FAKE_POOL,
    laneId: FAKE_LANE,
    finish: (batchId, lines) => served.batches.finish(batchId, lines),
    settle: async () => {},
    [Symbol.asyncDispose]: () => served[Symbol.asyncDispose](),
  };
});
