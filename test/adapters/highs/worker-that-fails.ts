/** A thread that answers no situation: it dies over one without lanes, is silent over one without limits, and fails over others. */
import { parentPort } from 'node:worker_threads';
import type { Situation } from '../../../src/core/plan/situation.ts';

parentPort?.on('message', ({ lanes, limits, nowMs }: Situation) => {
  if (lanes.length === 0) throw new Error('out of memory');
  if (limits.length > 0) parentPort?.postMessage({ kind: 'failed', reason: `no solution at ${nowMs}` }, []);
});
