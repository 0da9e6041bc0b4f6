import { describe, expect, it } from 'vitest';
import type { BegunCall, PastAttempt } from '../../src/app/ledger.ts';
import type { ProviderReply } from '../../src/app/ports.ts';
import { CallFailed, runSlice } from '../../src/app/run-slice.ts';
import { ANSWER, ANSWER_BODY, type Course, LANE, lineOf, refusal, setUp } from './a-slice-to-run.ts';
import { aCall, aLane, aProvider, batchLine, type FakeClock, NOW_MS, routingFor } from './fakes.ts';

/** Half of the margin of the lane's minute. */
const PATIENCE_MS = 600;

/** A begin that takes so long. */
const after = (clock: FakeClock, waitMs: number) => (): readonly BegunCall[] => {
  clock.advanceTo(clock.nowMs() + waitMs);
  return [aCall()];
};

describe('runSlice', () => {
  it('calls nobody for a grant that may not begin any more', async () => {
    const { tools, steps } = setUp({ begins: [() => []] });
    await runSlice(tools, [7]);
    expect(steps).toEqual(['begin']);
  });

  it('begins, calls, and tells the record the answer', async () => {
    const replies = [
      () => {
        clock.advanceTo(NOW_MS + 1_500);
        return ANSWER;
      },
    ];
    const { tools, steps, finished, sent, log, stop, clock } = setUp({ replies });
    await runSlice(tools, [7]);
    expect(steps).toEqual(['begin', 'chat', 'finish']);
    expect(sent).toMatchObject([{ lane: LANE, body: { max_tokens: 320 } }]);
    expect(sent[0]?.signal).toBe(stop.signal);
    expect(finished).toMatchObject([{ grantId: 7, outcome: 'succeeded', next: { kind: 'succeeded' } }]);
    expect(lineOf(finished[0])).toMatchObject({ response: { body: JSON.parse(ANSWER_BODY) } });
    expect(log.entries).toMatchObject([
      { event: 'call.finished', fields: { outcome: 'succeeded', next: 'succeeded', durationMs: 1_500 } },
    ]);
  });

  it('counts a call from when it went out, which may be long after its connection was asked for', async () => {
    const { tools, finished } = setUp({ connectMs: 2_500 });
    await runSlice(tools, [7]);
    expect(finished).toMatchObject([{ sentAtMs: NOW_MS + 2_500, durationMs: 0 }]);
  });

  it('judges an answer by what was asked', async () => {
    const line = batchLine({
      messages: [{ role: 'user', content: 'x' }],
      response_format: { type: 'json_object' },
    });
    const { tools, finished } = setUp({ begins: [() => [aCall({ line })]] });
    await expect(runSlice(tools, [7])).rejects.toThrow('useless-answer: the answer was not the JSON');
    expect(finished).toMatchObject([{ outcome: 'useless-answer', usage: { completionTokens: 2 } }]);
  });

  it('rejects with kind and reason after the record was told, so that the board shows them', async () => {
    const { tools, finished } = setUp({ reply: refusal(429, 'slow down', { 'retry-after': '7' }) });
    const failed = runSlice(tools, [7]);
    await expect(failed).rejects.toBeInstanceOf(CallFailed);
    await expect(failed).rejects.toThrow('minute-limit: HTTP 429: slow down');
    expect(finished).toMatchObject([{ outcome: 'minute-limit', next: { kind: 'pending' } }]);
  });
});

const usageTold = async (tier: 'free' | 'paid', promptTokens: number) => {
  const usage = { prompt_tokens: promptTokens, completion_tokens: 2 };
  const bodyText = JSON.stringify({ ...JSON.parse(ANSWER_BODY), usage });
  const { tools, finished } = setUp({ reply: { kind: 'http', status: 200, headers: {}, bodyText } });
  await runSlice({ ...tools, routing: routingFor([aProvider([LANE], { tier })]) }, [7]);
  return finished[0];
};

describe('runSlice with a usage that cannot be', () => {
  it('goes by the estimate where it costs nothing', async () => {
    const told = await usageTold('free', LANE.contextTokens * 3);
    expect(told).toMatchObject({ usage: null, settlement: 'estimate' });
  });

  it('counts it in full where it is billed, as far as the record counts', async () => {
    const promptTokens = LANE.contextTokens * 3;
    const told = await usageTold('paid', promptTokens);
    expect(told).toMatchObject({ usage: { promptTokens, completionTokens: 2 }, settlement: 'usage' });
    expect(await usageTold('paid', 1e15)).toMatchObject({ usage: { promptTokens: 1e9 } });
  });
});

describe('runSlice with what the record knows of limits', () => {
  it('tells it what the headers of an answer say, and which limit a refusal names', async () => {
    const headers = { 'x-ratelimit-limit-requests': '30', 'x-ratelimit-remaining-requests': '12' };
    const { tools, finished } = setUp({ reply: refusal(429, 'slow down', headers) });
    await expect(runSlice(tools, [7])).rejects.toThrow('minute-limit');
    expect(finished).toMatchObject([
      {
        told: {
          standings: [{ metric: 'requests', amount: 30, remaining: 12 }],
          refusal: { scope: 'lane', isLong: false, metric: null, amount: null },
        },
      },
    ]);
  });

  it('waits no longer for a call than the lane deserves, and never longer than its time limit', async () => {
    const impatient = setUp({ begins: [() => [aCall({ patienceMs: 12_345.6 })]] });
    await runSlice(impatient.tools, [7]);
    expect(impatient.sent).toMatchObject([{ lane: { ...LANE, timeoutMs: 12_346 } }]);
    const patient = setUp({ begins: [() => [aCall({ patienceMs: 1e9 })]] });
    await runSlice(patient.tools, [7]);
    expect(patient.sent).toMatchObject([{ lane: LANE }]);
  });

  it('does not close a lane for a probe that was refused, unless the provider says until when', async () => {
    const probe = { begins: [() => [aCall({ isProbe: true })]] };
    const unsaid = setUp({ ...probe, reply: refusal(429, 'slow down') });
    await expect(runSlice(unsaid.tools, [7])).rejects.toThrow('minute-limit');
    expect(unsaid.closings).toEqual([]);
    const said = setUp({ ...probe, reply: refusal(429, 'slow down', { 'retry-after': '7' }) });
    await expect(runSlice(said.tools, [7])).rejects.toThrow('minute-limit');
    expect(said.closings).toHaveLength(1);
  });
});

describe('runSlice tells the lane before the record, lest a freed slot be granted again at once', () => {
  it('closes a lane for as long as its refusal says', async () => {
    const { tools, steps, closings } = setUp({ reply: refusal(429, 'slow down', { 'retry-after': '7' }) });
    await expect(runSlice(tools, [7])).rejects.toThrow(CallFailed);
    expect(steps).toEqual(['begin', 'chat', 'close', 'finish']);
    expect(closings).toMatchObject([
      { scope: 'alpha/small', untilMs: NOW_MS + 7_000, kind: 'minute-limit', needsUser: false },
    ]);
  });

  it('closes it until the end of its declared day where the refusal does not say', async () => {
    const reply = refusal(429, 'Rate limit reached on tokens per day (TPD): Limit 1000');
    const { tools, closings } = setUp({ reply });
    await expect(runSlice(tools, [7])).rejects.toThrow('day-limit: ');
    expect(closings).toMatchObject([{ untilMs: Date.UTC(2026, 10, 21) + 2_000, kind: 'day-limit' }]);
  });

  it('closes the provider of a bad key and says that the user is needed', async () => {
    const { tools, closings, log } = setUp({ reply: refusal(401, 'Incorrect API key') });
    await expect(runSlice(tools, [7])).rejects.toThrow('bad-key: ');
    expect(closings).toMatchObject([{ scope: 'alpha', kind: 'bad-key', needsUser: true }]);
    expect(log.entries[0]).toMatchObject({ level: 'warn', event: 'lane.closed', fields: { scope: 'alpha' } });
  });

  it('counts a sick lane, a provider that cannot be reached and a model that is gone', async () => {
    const unreachable: ProviderReply = { kind: 'transport', problem: 'dns', message: 'no such host' };
    const replies: [ProviderReply, string][] = [
      [refusal(500, 'oops'), 'sick alpha/small'],
      [unreachable, 'sick alpha'],
      [refusal(404, 'The model `small` does not exist'), 'gone alpha/small'],
    ];
    for (const [reply, told] of replies) {
      const { tools, steps } = setUp({ reply });
      await expect(runSlice(tools, [7])).rejects.toThrow(CallFailed);
      expect(steps).toEqual(['begin', 'chat', told, 'finish']);
    }
  });
});

/** How often a grant is begun whose begins take so long. */
const beginsFor = async (waits: readonly number[], lane = LANE): Promise<number> => {
  const begins: (() => readonly BegunCall[])[] = [];
  const { tools, counts, clock, steps } = setUp({ begins, lanes: [lane] });
  begins.push(...waits.map((waitMs) => after(clock, waitMs)));
  await runSlice(tools, [7]);
  expect(steps.slice(counts.begins)).toEqual(['chat', 'finish']);
  return counts.begins;
};

describe('runSlice, where time passes between the begin and its answer', () => {
  it('begins again after more than half of the margin, so that the count starts when the call does', async () => {
    expect(await beginsFor([PATIENCE_MS])).toBe(1);
    expect(await beginsFor([PATIENCE_MS + 1, 0])).toBe(2);
  });

  it('calls anyhow after the second begin', async () => {
    expect(await beginsFor([9_000])).toBe(2);
  });

  it('has a second on a lane without limits: the hours of its batch may end', async () => {
    expect(await beginsFor([1_000], aLane('alpha/small'))).toBe(1);
    expect(await beginsFor([1_001, 0], aLane('alpha/small'))).toBe(2);
  });

  it('calls nobody where the grant is gone at the second begin', async () => {
    const begins: (() => readonly BegunCall[])[] = [];
    const { tools, clock, steps } = setUp({ begins });
    begins.push(after(clock, 9_000), () => []);
    await runSlice(tools, [7]);
    expect(steps).toEqual(['begin', 'begin']);
  });
});

describe('runSlice, after a fault of ours', () => {
  it.each<[string, Course]>([
    ['the client throws', { reply: new Error('a bug') }],
    ['the lane is not in the configuration', { lanes: [] }],
    ['the stored line is not what ingest accepted', { begins: [() => [aCall({ line: '[]' })]] }],
  ])('fails only that request, with a line that says so: %s', async (_name, course) => {
    const { tools, finished, log } = setUp(course);
    await expect(runSlice(tools, [7])).rejects.toThrow(/^unknown: fault in Nightshift: /u);
    expect(finished).toMatchObject([
      { grantId: 7, outcome: 'unknown', settlement: 'estimate', next: { kind: 'failed' } },
    ]);
    expect(lineOf(finished[0])).toMatchObject({ custom_id: 'line-1', error: { code: 'unknown' } });
    expect(log.entries).toMatchObject([
      { level: 'error', event: 'call.faulted', fields: { grantId: 7, requestId: 42, laneId: 'alpha/small' } },
    ]);
  });

  it('does not try a request again that killed twenty processes', async () => {
    const lost: PastAttempt = {
      lane: 'alpha/small',
      outcome: 'lost',
      reason: null,
      begunAtMs: null,
      durationMs: null,
      promptTokens: null,
      completionTokens: null,
      isBeforeRetry: false,
    };
    const trailOf = (losses: number) => Array.from({ length: losses }, () => lost);
    const last = setUp({ begins: [() => [aCall({ trail: trailOf(19) })]] });
    await runSlice(last.tools, [7]);
    const { tools, steps } = setUp({ begins: [() => [aCall({ trail: trailOf(20) })]] });
    await expect(runSlice(tools, [7])).rejects.toThrow('20 processes died in the middle of this call');
    expect(steps).toEqual(['begin', 'finish']);
    const retried = trailOf(20).map((attempt) => ({ ...attempt, isBeforeRetry: true }));
    await runSlice(setUp({ begins: [() => [aCall({ trail: retried })]] }).tools, [7]);
  });

  it('judges a failure by what has become of the request since the call began', async () => {
    const { tools, finished } = setUp({ reply: refusal(400, 'no'), begins: [() => [aCall({ tries: 2 })]] });
    const past = { tries: 3, excluded: ['beta'], avoided: [], droppedParameters: [], trail: [] };
    await expect(runSlice({ ...tools, pastOf: async () => past }, [7])).rejects.toThrow('bad-request: ');
    expect(finished).toMatchObject([{ next: { kind: 'failed' }, excluded: ['beta'] }]);
  });
});
