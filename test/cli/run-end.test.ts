import { describe, expect, it } from 'vitest';
import type { Progress } from '../../src/app/progress.ts';
import { watchToEnd, type Watching } from '../../src/cli/run-end.ts';
import { CannotRun } from '../../src/cli/run-request.ts';
import { ANY_TERMS } from '../../src/core/batch-terms.ts';
import { hoursAfter } from '../contracts/night-windows.ts';
import { aLane, aProgress, NOW_MS } from './a-progress-view.ts';

const FINAL = aProgress({ succeeded: 3, cancelled: 1 });

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

/** A batch with a budget that stands still, as its so many-th plan has it. */
const planned = (plan: number): Progress => ({
  ...aProgress({ maxCostNanoDollars: 1_000 }, [aLane()]),
  forecast: { madeAtMs: NOW_MS + plan, finishAtMs: null, spreadMs: 0, next: null },
});

describe('a watched run', () => {
  it('is finished when every line is final, cancelled ones among them', async () => {
    const { kind, seen } = await watch([aProgress(), FINAL]);
    expect([kind, seen.length]).toEqual(['finished', 1]);
  });

  it('goes on after a look that failed', async () => {
    const { kind, failures } = await watch([new Error('the service is away'), FINAL]);
    expect([kind, failures.length]).toEqual(['finished', 1]);
  });

  it('is interrupted at once when it is told to', async () => {
    const { kind, looks } = await watch([aProgress()], { signal: AbortSignal.abort() });
    expect([kind, looks]).toEqual(['interrupted', 0]);
  });

  it('waits for a paused batch however long it stands still', async () => {
    const paused = aProgress({ isPaused: true });
    const looks = [...Array.from({ length: 5 }, () => paused), FINAL];
    expect((await watch(looks, { canMove: () => false })).kind).toBe('finished');
  });

  it('waits for the hours of its batch however long it stands still', async () => {
    const terms = { ...ANY_TERMS, nightWindow: hoursAfter(NOW_MS, 2, 3) };
    const looks = [...Array.from({ length: 5 }, () => aProgress({ terms })), FINAL];
    expect((await watch(looks, { canMove: () => false })).kind).toBe('finished');
  });

  it('waits for the lines of a batch that are being ended at its deadline', async () => {
    const looks = [...Array.from({ length: 5 }, () => aProgress({ state: 'expiring' })), FINAL];
    expect((await watch(looks, { canMove: () => false })).kind).toBe('finished');
  });

  it('is stuck when it stands still and a provider waits for a person', async () => {
    const closing = { scope: 'groq', untilMs: NOW_MS, kind: 'bad-key', reason: 'x', needsUser: true };
    const { kind, looks } = await watch([aProgress({}, [aLane({ closing })])], { canMove: () => false });
    expect([kind, looks]).toEqual(['stuck', 4]);
  });

  it('is stuck when it stands still through two more plans and a larger budget may help', async () => {
    // What may be paid for is known with the next plan, and what that did not know of yet with the one after it.
    const looks = [0, 0, 0, 0, 1, 2].map(planned);
    const [stuck, served] = await Promise.all(
      [looks, [...looks.slice(0, 5), FINAL]].map((seen) => watch(seen, { canMove: () => false })),
    );
    expect([stuck?.kind, stuck?.looks, served?.kind]).toEqual(['stuck', 6, 'finished']);
  });

  it('is stuck at once where nobody plans', async () => {
    const standing = aProgress({ maxCostNanoDollars: 1_000 }, [aLane()]);
    expect(await watch([standing], { canMove: () => false })).toMatchObject({ kind: 'stuck', looks: 4 });
  });

  it('cannot run when it stands still and nobody can help, which says how many lines are left', async () => {
    const standing = watch([aProgress({ succeeded: 1 }, [aLane()])], { canMove: () => false });
    await expect(standing).rejects.toThrow(CannotRun);
    await expect(standing).rejects.toThrow(/got 3 lines that no lane/u);
  });
});
