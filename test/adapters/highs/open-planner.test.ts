import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { openPlanner } from '../../../src/adapters/highs/open-planner.ts';
import { openSolver } from '../../../src/adapters/highs/open-solver.ts';
import { makePlan } from '../../../src/core/plan/plan.ts';
import { aCell, aLargeSituation, aSituation, NOW_MS } from '../../core/plan/a-situation.ts';

const FAILING = new URL('./worker-that-fails.ts', import.meta.url);

/** Situations that differ by their instant alone, by which their plans can be told apart. */
const at = (afterMs: number) => aSituation({ nowMs: NOW_MS + afterMs });

describe('openPlanner', () => {
  it('gets ready when it is told that a plan is wanted soon, and ends again where none is', async () => {
    await using planner = openPlanner({ lingerMs: 20 });
    planner.prepare?.();
    expect(planner.isRunning()).toBe(true);
    await expect.poll(() => planner.isRunning()).toBe(false);
  });

  it('answers the plan that core makes, from a thread that is there when it is asked for', async () => {
    await using planner = openPlanner();
    expect(planner.isRunning()).toBe(false);
    const situation = aLargeSituation(3, 6);
    const plan = await planner.plan(situation);
    expect(planner.isRunning()).toBe(true);
    expect(plan).toEqual(makePlan(situation, await openSolver()));
  });

  it('keeps classes the same objects throughout a plan, so that what is taken can be counted by them', async () => {
    await using planner = openPlanner();
    const { lanes } = await planner.plan(aLargeSituation(4, 5));
    const classes = new Set(lanes.flatMap(({ shares }) => shares.map(({ sizeClass }) => sizeClass)));
    expect(classes.size).toBe(5);
  });

  it('plans the newest of the situations that come meanwhile, for all who asked', async () => {
    await using planner = openPlanner();
    const first = planner.plan(at(0));
    const older = planner.plan(at(1));
    const newer = planner.plan(at(2));
    expect((await first).madeAtMs).toBe(NOW_MS);
    expect(await older).toBe(await newer);
    expect((await newer).madeAtMs).toBe(NOW_MS + 2);
    expect((await planner.plan(at(3))).madeAtMs).toBe(NOW_MS + 3);
  });

  it('leaves the thread that asks free while it solves', async () => {
    await using planner = openPlanner();
    await planner.plan(at(0));
    let turns = 0;
    const turning = setInterval(() => (turns += 1), 1);
    await planner.plan(aLargeSituation(20, 24));
    clearInterval(turning);
    expect(turns).toBeGreaterThan(5);
  });

  it('ends its thread after a while without work, and starts another when there is some', async () => {
    await using planner = openPlanner({ lingerMs: 20 });
    await planner.plan(at(0));
    await expect.poll(() => planner.isRunning(), { timeout: 5_000 }).toBe(false);
    expect((await planner.plan(at(1))).madeAtMs).toBe(NOW_MS + 1);
  });

  it('rejects with what went wrong, and plans again with a new thread', async () => {
    await using planner = openPlanner({ entry: FAILING });
    await expect(planner.plan(at(0))).rejects.toThrow(
      `Expected a plan, but the solver failed: no solution at ${NOW_MS}.`,
    );
    expect(planner.isRunning()).toBe(false);
    const died = planner.plan(aSituation({ lanes: [] }));
    const next = planner.plan(at(7));
    await expect(died).rejects.toThrow('out of memory');
    await expect(next).rejects.toThrow(`no solution at ${NOW_MS + 7}`);
  });

  it('gives a plan up that takes too long', async () => {
    await using planner = openPlanner({ entry: FAILING, patienceMs: 50 });
    await expect(planner.plan(aSituation({ limits: [] }))).rejects.toThrow('it took longer than 0.05 s');
    expect(planner.isRunning()).toBe(false);
  });

  it('rejects a situation that no programme can be made of, and goes on', async () => {
    await using planner = openPlanner();
    await expect(planner.plan(aSituation({ cells: [aCell(28, Infinity)] }))).rejects.toThrow(
      'Expected a plan',
    );
    expect((await planner.plan(at(1))).madeAtMs).toBe(NOW_MS + 1);
  });

  it('rejects what waits for a plan when it is closed, and what is asked after that', async () => {
    const planner = openPlanner();
    const asked = Promise.allSettled([planner.plan(at(0)), planner.plan(at(1))]);
    await planner[Symbol.asyncDispose]();
    const late = Promise.allSettled([planner.plan(at(2))]);
    const reason: unknown = expect.objectContaining({ message: expect.stringContaining('that was closed') });
    expect([...(await asked), ...(await late)]).toEqual(
      Array.from({ length: 3 }, () => ({ status: 'rejected', reason })),
    );
    expect(planner.isRunning()).toBe(false);
  });

  it('keeps a process alive until the plan is made, and no longer', async () => {
    const script = fileURLToPath(new URL('./one-plan.ts', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [script], { timeout: 20_000 });
    expect(Number(stdout)).toBeGreaterThan(NOW_MS);
  });
});
