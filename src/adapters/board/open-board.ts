/** Bull Board over the record and the lanes' queues. */
import { createBullBoard } from '@bull-board/api';
import { Router } from 'express';
import type { Batches } from '../../app/batches.ts';
import type { BatchRoll, GrantStories } from '../../app/grant-stories.ts';
import type { Log } from '../../app/ports.ts';
import { guardAction } from './actions.ts';
import { APPEARANCE } from './appearance.ts';
import { BatchesAdapter } from './batches-adapter.ts';
import { BoardServer } from './board-server.ts';
import { LaneAdapter, type LaneQueue, type LaneSources } from './lane-adapter.ts';
import { watchLanes } from './lane-watch.ts';

/** What a board is opened with. */
export interface BoardOptions {
  /** Where the router will be mounted, such as `/board`. */
  readonly basePath: string;
  readonly batches: Pick<Batches, 'status' | 'lanes' | 'pauseLane' | 'resumeLane'>;
  readonly roll: BatchRoll;
  readonly stories: GrantStories;
  /** A lane's queue, the same as long as it is open; asked at every look. Whoever makes it closes it. */
  readonly queueOf: (laneId: string) => LaneQueue;
  /** Whether the text of lines may be seen. */
  readonly showsText: boolean;
  readonly log: Log;
}

/** The board. It has no login of its own: put one before the router. */
export interface Board extends AsyncDisposable {
  readonly router: Router;
}

/**
 * Opens the board: a queue `batches`, and one per lane under the lane's id. Lanes that come and go are noticed within
 * 2 s of somebody's looking. Nothing is asked of record or queues while nobody looks, nor after disposal.
 */
export const openBoard = (options: BoardOptions): Board => {
  const { basePath, batches, roll, stories, queueOf, showsText, log } = options;
  const server = new BoardServer(basePath, (err) => log.error({ err }, 'board.errored'));
  const batchesAdapter = new BatchesAdapter(batches, roll);
  const { replaceQueues } = createBullBoard({
    queues: [batchesAdapter],
    serverAdapter: server,
    options: { uiConfig: APPEARANCE, handlerHooks: { before: guardAction } },
  });

  const watch = watchLanes(batches, () => performance.now());
  const sources: LaneSources = {
    batches,
    stories,
    showsText,
    onChange: () => watch.expire(),
    onSilence: (laneId, err) => log.warn({ laneId, err }, 'board.queue-silent'),
  };
  let adapters: ReadonlyMap<string, LaneAdapter> = new Map();
  let isOpen = true;

  const showLanes = async (): Promise<void> => {
    if (!isOpen) return;
    const lanes = await watch.current();
    if (!isOpen) return;
    const shown = new Map<string, LaneAdapter>();
    for (const lane of lanes) {
      const queue = queueOf(lane.laneId);
      const known = adapters.get(lane.laneId);
      const adapter = known?.isOf(queue) === true ? known : new LaneAdapter(queue, lane, sources);
      adapter.show(lane);
      shown.set(lane.laneId, adapter);
    }
    adapters = shown;
    replaceQueues([batchesAdapter, ...shown.values()]);
  };

  const router = Router();
  router.use('/api', async (request, _response, next) => {
    // Whoever changes something must not act on what was true 2 s ago.
    if (request.method !== 'GET') watch.expire();
    await showLanes();
    next();
  });
  router.use(server.getRouter());
  router.use(server.answerError);

  return {
    router,
    async [Symbol.asyncDispose]() {
      isOpen = false;
      adapters = new Map();
      replaceQueues([]);
    },
  };
};
