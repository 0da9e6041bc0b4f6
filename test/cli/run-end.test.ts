import { describe, expect, it } from 'vitest';
import type { Batch } from '../../src/app/batch-store.ts';
import type { Progress } from '../../src/app/progress.ts';
import { watchToEnd, type Watching } from '../../src/cli/run-end.ts';
import { CannotRun } from '../../src/cli/run-request.ts';
import { aBatch } from '../app/fakes.ts';
import { aLane, NOW_MS } from './a-progress-view.ts';

const progress = (batch: Partial<Batch> = {}, lanes: Progress['lanes'] = []): Progress => ({
  atMs: NOW_MS,
  batch: aBatch(batch),
  parked: 0,
  nextDueAtMs: null,
  underWay: 0,
  lanes,
});

const FINAL = progress({ succeeded: 3, cancelled: 1 });

/** Watches these looks, the last one again and again. */
const watch = async (looks: readonly (Progress | Error)[], changes: Partial<Watching> = {}) => {
  const seen: Progress[] = [];
  const failures: unknown[] = [];
  let count = 0;
  const kind = await watchToEnd({
    look: async () => {
      const next = looks[Math.min(count, looks.length - 1)] ?? FINAL;
      count += 1;
      if (next instanceof Error) throw next;
      return next;
    },
    seen: async (now) => void seen.push(now),
    canMove: () => true,
    failed: (error) => void failures.push(error),
    signal: new AbortController().signal,
    ...changes,
  });
  return { kind, seen, failures, looks: count };
};

describe('a watched run', () => {
  it('is finished when every line is final, cancelled ones among them', async () => {
    const { kind, seen } = await watch([progress(), FINAL]);
    expect([kind, seen.length]).toEqual(['finished', 1]);
  });

  it('goes on after a look that failed', async () => {
    const { kind, failures } = await watch([new Error('the service is away'), FINAL]);
    expect([kind, failures.length]).toEqual(['finished', 1]);
  });

  it('is interrupted at once when it is told to', async () => {
    const { kind, looks } = await watch([progress()], { signal: AbortSignal.abort() });
    expect([kind, looks]).toEqual(['interrupted', 0]);
  });

  it('waits for a paused batch however long it stands still', async () => {
    const paused = progress({ isPaused: true });
    const looks = [...Array.from({ length: 5 }, () => paused), FINAL];
    expect((await watch(looks, { canMove: () => false })).kind).toBe('finished');
  });

  it('is stuck when it stands still and a provider waits for a person', async () => {
    const closing = { scope: 'groq', untilMs: NOW_MS, kind: 'bad-key', reason: 'x', needsUser: true };
    const { kind, looks } = await watch([progress({}, [aLane({ closing })])], { canMove: () => false });
    expect([kind, looks]).toEqual(['stuck', 4]);
  });

  it('cannot run when it stands still and nobody can help, which says how many lines are left', async () => {
    const standing = watch([progress({ succeeded: 1 }, [aLane()])], { canMove: () => false });
    await expect(standing).rejects.toThrow(CannotRun);
    await expect(standing).rejects.toThrow(/got 3 lines that no lane/u);
  });
});
