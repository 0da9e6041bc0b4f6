/** What is peculiar to a slice of several grants; what holds for each of its calls is in run-slice.test.ts. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { type FinishedCall, RecordRefused } from '../../src/app/ledger.ts';
import { type ProviderReply } from '../../src/app/ports.ts';
import { CallFailed, runSlice } from '../../src/app/run-slice.ts';
import { ANSWER, beginAll, lineOf, refusal, setUp } from './a-slice-to-run.ts';
import { aCall, batchLine, NOW_MS } from './fakes.ts';

/** Half of the margin of the lane's minute. */
const PATIENCE_MS = 600;

/** Ids, with outcomes, as the record was told. */
const told = (finished: readonly FinishedCall[]): readonly string[] =>
  finished.map(({ grantId, outcome }) => `${grantId} ${outcome}`);

/** Lets everything that can go on without an event go on. */
const settled = async (): Promise<void> => {
  await new Promise((resolve) => setImmediate(resolve));
};

const refuse = (): void => {
  throw new RecordRefused('out of range');
};

/** Promises that nobody took care of, from now to the end of the test. */
const collectUnhandled = (): readonly unknown[] => {
  const reasons: unknown[] = [];
  const before = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection');
  process.on('unhandledRejection', (reason) => reasons.push(reason));
  onTestFinished(() => {
    process.removeAllListeners('unhandledRejection');
    for (const listener of before) process.on('unhandledRejection', listener);
  });
  return reasons;
};

describe('runSlice, of several grants', () => {
  it('begins them together and calls them one after the other, in their order', async () => {
    let underWay = 0;
    let mostUnderWay = 0;
    const reply = async (): Promise<ProviderReply> => {
      underWay += 1;
      mostUnderWay = Math.max(mostUnderWay, underWay);
      await settled();
      underWay -= 1;
      return ANSWER;
    };
    const { tools, begun, finished, sent } = setUp({
      begins: [
        (slice) =>
          slice.map((grantId) =>
            aCall({ grantId, line: batchLine({ messages: [{ role: 'user', content: `${grantId}` }] }) }),
          ),
      ],
      replies: [reply],
    });
    await runSlice(tools, [7, 8, 9]);
    expect(begun).toEqual([[7, 8, 9]]);
    expect(sent.map(({ body }) => body)).toMatchObject(
      ['7', '8', '9'].map((content) => ({ messages: [{ content }] })),
    );
    expect(mostUnderWay).toBe(1);
    expect(told(finished)).toEqual(['7 succeeded', '8 succeeded', '9 succeeded']);
  });

  it('lets no call wait until the one before it is stored, but waits for all at the end', async () => {
    const stored = Promise.withResolvers<void>();
    const { tools, steps, finished, counts } = setUp({ finishes: [() => stored.promise] });
    let isOver = false;
    const running = runSlice(tools, [7, 8]).finally(() => {
      isOver = true;
    });
    while (counts.finishes < 2) await settled();
    expect(steps).toEqual(['begin', 'chat', 'finish', 'chat', 'finish']);
    expect([isOver, finished.length]).toEqual([false, 0]);
    stored.resolve();
    await running;
    expect(told(finished)).toEqual(['7 succeeded', '8 succeeded']);
  });

  it('skips a grant that may not begin, and runs the others', async () => {
    const { tools, begun, finished } = setUp({
      begins: [(slice) => beginAll(slice.filter((id) => id !== 8))],
    });
    await runSlice(tools, [7, 8, 9]);
    expect(told(finished)).toEqual(['7 succeeded', '9 succeeded']);
    expect(begun).toEqual([[7, 8, 9]]);
  });

  it('begins the rest again after a failure, since the lane may have closed', async () => {
    const { tools, steps, begun, finished } = setUp({
      begins: [beginAll, () => []],
      replies: [() => refusal(429, 'slow down'), () => ANSWER],
    });
    await expect(runSlice(tools, [7, 8, 9])).rejects.toThrow('minute-limit: HTTP 429: slow down');
    expect(begun[1]).toEqual([8, 9]);
    expect(steps.filter((step) => step === 'chat')).toHaveLength(1);
    expect(steps.indexOf('close')).toBeLessThan(steps.lastIndexOf('begin'));
    expect(told(finished)).toEqual(['7 minute-limit']);
  });

  it('goes on with the rest after a failure that closes nothing', async () => {
    const { tools, begun, finished } = setUp({
      replies: [() => refusal(400, 'Invalid value for messages'), () => ANSWER],
    });
    await expect(runSlice(tools, [7, 8, 9])).rejects.toThrow(CallFailed);
    expect(begun).toEqual([
      [7, 8, 9],
      [8, 9],
    ]);
    expect(told(finished)).toEqual(['7 bad-request', '8 succeeded', '9 succeeded']);
  });

  it('begins the rest again once half of the margin went by', async () => {
    let callMs = PATIENCE_MS;
    const { tools, begun, clock } = setUp({
      replies: [
        () => {
          clock.advanceTo(clock.nowMs() + callMs);
          return ANSWER;
        },
      ],
    });
    await runSlice(tools, [7, 8]);
    expect(begun).toEqual([[7, 8]]);
    callMs += 1;
    await runSlice(tools, [17, 18, 19]);
    expect(begun.slice(1)).toEqual([[17, 18, 19], [18, 19], [19]]);
  });

  it('counts each call from when it was made, not from when the slice began', async () => {
    const { tools, finished, clock } = setUp({
      replies: [
        () => {
          clock.advanceTo(clock.nowMs() + 100);
          return ANSWER;
        },
      ],
    });
    await runSlice(tools, [7, 8, 9]);
    expect(finished.map(({ durationMs }) => durationMs)).toEqual([100, 100, 100]);
    expect(lineOf(finished[2])).toMatchObject({ nightshift: { attempts: [{ begunAtMs: NOW_MS + 200 }] } });
  });

  it('tells all failures in one message', async () => {
    const { tools } = setUp({
      replies: [
        () => refusal(400, 'Invalid value for messages'),
        () => ANSWER,
        () => refusal(429, 'slow down'),
      ],
    });
    await expect(runSlice(tools, [7, 8, 9])).rejects.toThrow(
      /^bad-request: .*Invalid value for messages; minute-limit: HTTP 429: slow down$/u,
    );
  });

  it('makes every call that is left fail as aborted once calls are aborted', async () => {
    const aborted: ProviderReply = {
      kind: 'transport',
      problem: 'aborted',
      message: 'This operation was aborted',
    };
    const { tools, finished, stop } = setUp({
      replies: [
        () => {
          stop.abort();
          return aborted;
        },
        () => aborted,
      ],
    });
    await expect(runSlice(tools, [7, 8])).rejects.toThrow(/^aborted: .*; aborted: /u);
    expect(finished).toMatchObject([
      { grantId: 7, outcome: 'aborted', next: { kind: 'pending' }, countsAsTry: false },
      { grantId: 8, outcome: 'aborted', next: { kind: 'pending' }, countsAsTry: false },
    ]);
  });

  it('lets a fault of ours in one call fail that one alone', async () => {
    const { tools, finished } = setUp({ replies: [() => new Error('a bug'), () => ANSWER] });
    await expect(runSlice(tools, [7, 8])).rejects.toThrow('unknown: fault in Nightshift: a bug');
    expect(told(finished)).toEqual(['7 unknown', '8 succeeded']);
  });

  it('leaves no promise to itself while later calls are under way and the record refuses an earlier one', async () => {
    const unhandled = collectUnhandled();
    const answered = Promise.withResolvers<ProviderReply>();
    const { tools, steps } = setUp({
      finishes: [refuse, refuse, () => {}],
      replies: [() => ANSWER, () => answered.promise],
    });
    const failure = runSlice(tools, [7, 8]).catch((error: unknown) => error);
    while (steps.filter((step) => step === 'chat').length < 2) await settled();
    await settled();
    answered.resolve(ANSWER);
    expect(String(await failure)).toContain('out of range');
    expect(unhandled).toEqual([]);
  });
});
