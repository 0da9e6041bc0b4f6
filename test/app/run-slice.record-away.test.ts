import { describe, expect, it } from 'vitest';
import { type Closing } from '../../src/app/health-book.ts';
import { RecordRefused } from '../../src/app/ledger.ts';
import { runSlice } from '../../src/app/run-slice.ts';
import { type Course, refusal, setUp } from './a-slice-to-run.ts';
import { aCall, NOW_MS } from './fakes.ts';

const refuse = (): never => {
  throw new Error('the record is away');
};
const refuseForGood = (): never => {
  throw new RecordRefused('out of range');
};
const take = (): void => {};

/** Every wait is over at once. */
const hurried = (course: Course) => {
  const set = setUp(course);
  const sleepUntil = async (atMs: number): Promise<void> => set.clock.advanceTo(atMs);
  const clock = { nowMs: () => set.clock.nowMs(), sleepUntil };
  return { ...set, tools: { ...set.tools, clock } };
};

describe('runSlice, when the record is away for a moment', () => {
  it('keeps an answer and tells it again, as the provider was paid for it', async () => {
    const { tools, finished, log, clock, steps } = hurried({ finishes: [refuse, refuse, take] });
    await runSlice(tools, [7]);
    expect(finished).toMatchObject([{ outcome: 'succeeded' }]);
    expect(steps.filter((step) => step === 'chat')).toHaveLength(1);
    expect(clock.nowMs()).toBe(NOW_MS + 500 + 2_000);
    expect(log.entries.map(({ event }) => event)).toEqual([
      'call.finished',
      'record.failed',
      'record.failed',
    ]);
  });

  it('fails the request at once where the record refuses that one outcome', async () => {
    const { tools, finished, clock } = hurried({ finishes: [refuseForGood, take] });
    await expect(runSlice(tools, [7])).rejects.toThrow('unknown: fault in Nightshift: out of range');
    expect(finished).toMatchObject([{ outcome: 'unknown', next: { kind: 'failed' } }]);
    expect(clock.nowMs()).toBe(NOW_MS);
  });

  it('goes on for as long as the record stays away', async () => {
    const { tools, finished, steps } = hurried({
      finishes: [...Array.from({ length: 50 }, () => refuse), take],
    });
    await runSlice(tools, [7]);
    expect(finished).toMatchObject([{ outcome: 'succeeded' }]);
    expect(steps.filter((step) => step === 'chat')).toHaveLength(1);
  });

  it('begins again, so that a call that was begun unheard is made', async () => {
    const { tools, finished, steps } = hurried({ begins: [refuse, () => [aCall()]] });
    await runSlice(tools, [7]);
    expect(steps).toEqual(['begin', 'begin', 'chat', 'finish']);
    expect(finished).toMatchObject([{ outcome: 'succeeded' }]);
  });

  it('lets a request that only has to wait go on waiting when the lane could not be closed at once', async () => {
    const { tools, finished, closings } = hurried({ reply: refusal(429, 'slow down') });
    let closes = 0;
    const close = async (closing: Closing): Promise<void> => {
      closes += 1;
      if (closes === 1) refuse();
      await tools.health.close(closing);
    };
    const failed = runSlice({ ...tools, health: { ...tools.health, close } }, [7]);
    await expect(failed).rejects.toThrow('minute-limit: ');
    expect(closings).toHaveLength(1);
    expect(finished).toMatchObject([{ outcome: 'minute-limit', next: { kind: 'pending' } }]);
  });

  it('does not make a failed line of an answer that could not be told before the end', async () => {
    const { tools, finished, stop } = setUp({ finishes: [refuse, refuse, take] });
    stop.abort();
    await expect(runSlice(tools, [7])).rejects.toThrow('the record is away');
    expect(finished).toEqual([]);
  });

  it('does not make a failed line of a lane that could not be closed before the end', async () => {
    const { tools, finished, stop } = setUp({ reply: refusal(429, 'slow down') });
    stop.abort();
    await expect(
      runSlice({ ...tools, health: { ...tools.health, close: async () => refuse() } }, [7]),
    ).rejects.toThrow('minute-limit: ');
    expect(finished).toMatchObject([{ outcome: 'minute-limit', next: { kind: 'pending' } }]);
  });

  it('judges a failure by what was known when the call began, where nobody tells what happened since', async () => {
    const { tools, finished, stop } = setUp({
      begins: [() => [aCall({ tries: 1 })]],
      reply: refusal(400, 'no'),
    });
    stop.abort();
    await expect(runSlice({ ...tools, pastOf: async () => refuse() }, [7])).rejects.toThrow('bad-request: ');
    expect(finished).toMatchObject([{ outcome: 'bad-request' }]);
  });

  it('does not wait once calls are aborted', async () => {
    const { tools, finished, clock, stop } = setUp({ finishes: [refuse, take] });
    stop.abort();
    await runSlice(tools, [7]);
    expect(finished).toMatchObject([{ outcome: 'succeeded' }]);
    expect(clock.nowMs()).toBe(NOW_MS);
  });
});
