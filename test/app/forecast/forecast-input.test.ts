import { describe, expect, it } from 'vitest';
import { forecastInput } from '../../../src/app/forecast/forecast-input.ts';
import type { InputForecast } from '../../../src/app/forecast/input-forecast.ts';
import type { ForecastQuestion } from '../../../src/app/forecast/night-asked-for.ts';
import type { MeasuredInput } from '../../../src/app/measure-input.ts';
import { ANY_TERMS, type BatchTerms } from '../../../src/core/batch-terms.ts';
import type { Limit } from '../../../src/core/model.ts';
import { bandOf } from '../../../src/core/plan/bands.ts';
import { leftByDeadline } from '../../../src/core/plan/by-deadline.ts';
import { makePlan } from '../../../src/core/plan/plan.ts';
import { startTally } from '../../../src/core/plan/tally.ts';
import {
  aCell,
  aPlanLane,
  aPlanLimit,
  aRoute,
  aSituation,
  HOUR_MS,
  MINUTE_MS,
  solver,
} from '../../core/plan/a-night.ts';
import { hoursAfter } from '../../contracts/night-windows.ts';
import { aLane, aProvider, NOW_MS } from '../fakes.ts';

/** So many lines of one size, routed by `small`. */
const measured = (count: number, promptTokens = 500, tooLarge: readonly number[] = []): MeasuredInput => {
  const [good, long] = [startTally(), startTally()];
  const request = { outputTokens: 200, outputIsAsked: false };
  for (let line = 0; line < count; line += 1) good.add('small', { ...request, promptTokens });
  for (const tokens of tooLarge) long.add('small', { ...request, promptTokens: tokens });
  return {
    identity: 'x',
    cells: good.cells(),
    tooLarge: long.cells(),
    good: count,
    bad: { first: [], count: tooLarge.length },
  };
};

const perMinute = (amount: number): Limit => ({
  metric: 'requests',
  amount,
  window: { kind: 'refill', perMs: MINUTE_MS },
});

/** Ten requests a minute on the one lane there is, of which all are used. */
const paced = aSituation({
  routes: [],
  limits: [aPlanLimit('alpha/small', 10, { kind: 'refill', perMs: MINUTE_MS }, { used: 10 })],
});

const beta = aProvider([aLane('beta/small', { contextTokens: 100_000, limits: [perMinute(10)] })]);
const gamma = aProvider([aLane('gamma/small', { limits: [perMinute(30)] })]);

const ask = async (changes: Partial<ForecastQuestion> = {}, signal = new AbortController().signal) => {
  const told: (readonly [number, number])[] = [];
  const forecast = await forecastInput(
    {
      planner: { plan: async (situation) => makePlan(situation, solver) },
      leftBy: async (situation, atMs) => leftByDeadline(situation, atMs, solver),
      tell: (made, all) => void told.push([made, all]),
      signal,
    },
    {
      situation: paced,
      measured: measured(600),
      batchId: null,
      laneIdsOf: () => ['alpha/small'],
      allLaneIds: ['alpha/small'],
      candidates: [],
      candidatesStandAlone: false,
      terms: ANY_TERMS,
      ...changes,
    },
  );
  return { ...forecast, told };
};

/** The same with lines of another batch. */
const othersWaiting = (count: number) => ({ ...paced, routes: [aRoute()], cells: [aCell(count, 500)] });

const by = (deadlineAtMs: number): BatchTerms => ({ ...ANY_TERMS, deadlineAtMs });

/** For so many hours from in so many. */
const duringHours = (fromHours: number, hours: number): BatchTerms => ({
  ...ANY_TERMS,
  nightWindow: hoursAfter(NOW_MS, fromHours, fromHours + hours),
});

const finishInMinutes = ({ finish }: Pick<InputForecast, 'finish'>): readonly number[] =>
  finish.kind === 'at' ? [finish.earliestMs, finish.atMs, finish.latestMs].map(minutesFromNow) : [];

const minutesFromNow = (atMs: number | null | undefined): number =>
  Math.round(((atMs ?? Infinity) - NOW_MS) / MINUTE_MS);

describe('the forecast of an input', () => {
  it('says when it is done, and between when and when', async () => {
    const { finish } = await ask();
    if (finish.kind !== 'at') throw new Error('Expected a finish.');
    expect(minutesFromNow(finish.atMs)).toBe(60);
    expect(finish.earliestMs).toBeLessThan(finish.atMs);
    expect(finish.latestMs).toBeGreaterThan(finish.atMs);
  });

  it('is less sure of it where the length of answers binds', async () => {
    const tokens = aSituation({
      routes: [],
      limits: [
        aPlanLimit(
          'alpha/small',
          6_000,
          { kind: 'refill', perMs: MINUTE_MS },
          { metric: 'tokens', used: 6_000 },
        ),
      ],
    });
    const [byRequests, byTokens] = [
      await ask(),
      await ask({ situation: tokens, measured: measured(600, 60) }),
    ];
    const widthOf = ({ finish }: typeof byTokens): number =>
      finish.kind === 'at' ? (finish.latestMs - finish.earliestMs) / (finish.atMs - NOW_MS) : 0;
    expect(widthOf(byTokens)).toBeGreaterThan(2 * widthOf(byRequests));
  });

  it('gives every line to a lane, and says what binds that', async () => {
    const situation = {
      ...paced,
      lanes: [...paced.lanes, aPlanLane('beta/small')],
      providers: [...paced.providers, { id: 'beta', concurrency: null }],
      limits: [...paced.limits, aPlanLimit('beta/small', 20, { kind: 'refill', perMs: MINUTE_MS })],
    };
    const { lanes, lines } = await ask({ situation, laneIdsOf: () => ['alpha/small', 'beta/small'] });
    expect(lines).toBe(600);
    expect(lanes.reduce((sum, lane) => sum + lane.lines, 0)).toBeCloseTo(600, 3);
    expect(lanes.reduce((sum, lane) => sum + lane.share, 0)).toBeCloseTo(1, 6);
    expect(lanes.map(({ laneId, binding }) => [laneId, binding?.amount])).toEqual([
      ['beta/small', 20],
      ['alpha/small', 10],
    ]);
  });

  it('counts what waits already, of equal batches as much as the input has itself', async () => {
    const [few, many] = [
      await ask({ situation: othersWaiting(100) }),
      await ask({ situation: othersWaiting(5_000) }),
    ];
    expect(minutesFromNow(few.finish.kind === 'at' ? few.finish.atMs : null)).toBe(70);
    expect(minutesFromNow(many.finish.kind === 'at' ? many.finish.atMs : null)).toBe(120);
    expect([few.linesOfOthers, many.linesOfOthers]).toEqual([100, 5_000]);
    expect(few.lanes[0]?.lines).toBeCloseTo(600, 3);
  });

  it('goes by the rest of a batch that is at work already', async () => {
    const answers = [{ batchId: 7, band: bandOf(500), answers: 40, tokens: 4_000 }];
    const situation = { ...paced, routes: [aRoute({ batchId: 7 })], cells: [aCell(50, 500)], answers };
    const { lines, finish, answersToldBy, linesOfOthers } = await ask({ situation, batchId: 7 });
    expect({ lines, answersToldBy, linesOfOthers }).toEqual({
      lines: 50,
      answersToldBy: 'own',
      linesOfOthers: 0,
    });
    expect(minutesFromNow(finish.kind === 'at' ? finish.atMs : null)).toBe(5);
  });

  it('leaves money out of it, also of a batch at work that has a budget', async () => {
    const deadlineAtMs = NOW_MS + 30 * MINUTE_MS;
    const price = { inputNanoDollarsPerMillion: 1, outputNanoDollarsPerMillion: 1, requestNanoDollars: 0 };
    const situation = {
      ...paced,
      routes: [
        aRoute({
          batchId: 7,
          laneIds: ['alpha/small', 'dear/model'],
          pays: { deadlineAtMs, leftNanoDollars: 1e9 },
        }),
      ],
      cells: [aCell(600, 500)],
      lanes: [...paced.lanes, { ...aPlanLane('dear/model'), price }],
    };
    const terms = { ...ANY_TERMS, deadlineAtMs };
    const { finish, lanes, deadline } = await ask({ situation, batchId: 7, terms });
    expect(minutesFromNow(finish.kind === 'at' ? finish.atMs : null)).toBe(60);
    expect(lanes.map(({ laneId }) => laneId)).toEqual(['alpha/small']);
    expect(deadline?.linesLeft).toBe(300);
  });

  it('promises nothing where a person has to open the only lane', async () => {
    const shut = { ...paced, lanes: [aPlanLane('alpha/small', { opensAtMs: Infinity })] };
    const { finish, unplannableLines } = await ask({ situation: shut });
    expect(finish).toEqual({ kind: 'never', lines: 600 });
    expect(unplannableLines).toBe(600);
  });

  it('names the provider that helps most first, with what it would take', async () => {
    const candidates = [
      { provider: beta, laneIdsOf: () => ['beta/small', 'alpha/small'] },
      { provider: gamma, laneIdsOf: () => ['gamma/small', 'alpha/small'] },
      { provider: aProvider([aLane('delta/small')]), laneIdsOf: () => ['alpha/small'] },
    ];
    const { additions } = await ask({ candidates });
    expect(additions.map(({ providerId, finishAtMs }) => [providerId, minutesFromNow(finishAtMs)])).toEqual([
      ['gamma', 15],
      ['beta', 30],
    ]);
    expect(additions[1]?.lines).toBeGreaterThan(280);
  });

  it('names one that takes what is too long for all others', async () => {
    const candidates = [{ provider: beta, laneIdsOf: () => ['beta/small'] }];
    const { additions, tooLarge } = await ask({ candidates, measured: measured(1, 500, [90_000, 120_000]) });
    expect(tooLarge).toEqual({ lines: 2, largestPromptTokens: 120_000 });
    expect(additions.map(({ tooLargeLines }) => tooLargeLines)).toEqual([1]);
    const roomy = aProvider([aLane('beta/small', { contextTokens: 130_000 })]);
    const more = await ask({
      candidates: [{ provider: roomy, laneIdsOf: () => ['beta/small'] }],
      measured: measured(1, 500, [90_000, 120_000]),
    });
    expect(more.additions.map(({ tooLargeLines }) => tooLargeLines)).toEqual([2]);
  });

  it('plans each provider alone where nothing is on', async () => {
    const candidates = [
      { provider: beta, laneIdsOf: () => ['alpha/small', 'beta/small'] },
      { provider: gamma, laneIdsOf: () => ['alpha/small', 'gamma/small'] },
    ];
    const { additions } = await ask({ candidates, candidatesStandAlone: true });
    expect(additions.map(({ providerId, finishAtMs }) => [providerId, minutesFromNow(finishAtMs)])).toEqual([
      ['gamma', 19],
      ['beta', 60],
    ]);
  });

  it('counts what is left at a deadline, and what would leave less', async () => {
    const candidates = [{ provider: beta, laneIdsOf: () => ['alpha/small', 'beta/small'] }];
    const { deadline } = await ask({ candidates, terms: by(NOW_MS + 20 * MINUTE_MS) });
    expect(deadline?.linesLeft).toBe(400);
    expect(deadline?.options.map(({ kind }) => kind)).toEqual(['provider']);
    expect(deadline?.options[0]?.linesLeft).toBeLessThan(200);
    const late = await ask({ candidates, terms: by(NOW_MS + 2 * HOUR_MS) });
    const openMs = 2 * HOUR_MS;
    expect(late.deadline).toEqual({ atMs: NOW_MS + openMs, linesLeft: 0, openMs, options: [] });
  });

  it('leaves out what only a paid lane can take, and says how many lines that is', async () => {
    const price = {
      inputNanoDollarsPerMillion: 1,
      outputNanoDollarsPerMillion: 1,
      requestNanoDollars: 0,
    };
    const dear = aPlanLane('dear/large', { contextTokens: 1_000_000, price });
    const situation = { ...paced, lanes: [...paced.lanes, dear] };
    const both = ['alpha/small', 'dear/large'];
    const long = await ask({ situation, measured: measured(3, 200_000), laneIdsOf: () => both });
    expect(long).toMatchObject({
      lines: 3,
      paidOnlyLines: 3,
      unplannableLines: 0,
      promptTokens: 600_000,
      finish: { kind: 'never', lines: 3 },
    });
    const short = await ask({ situation, laneIdsOf: () => both });
    expect(short).toMatchObject({ lines: 600, paidOnlyLines: 0, finish: { kind: 'at' } });
    expect(await ask({ situation, measured: measured(3, 200_000) })).toMatchObject({
      paidOnlyLines: 0,
      unplannableLines: 3,
    });
  });

  it('of ways that leave as few at a deadline names the one that needs no key first, then who helps most', async () => {
    const situation = {
      ...paced,
      lanes: [...paced.lanes, aPlanLane('alpha/large')],
      limits: [...paced.limits, aPlanLimit('alpha/large', 100, { kind: 'refill', perMs: MINUTE_MS })],
    };
    const candidates = [
      { provider: beta, laneIdsOf: () => ['alpha/small', 'beta/small'] },
      { provider: gamma, laneIdsOf: () => ['alpha/small', 'gamma/small'] },
    ];
    const allLaneIds = ['alpha/small', 'alpha/large'];
    const terms = by(NOW_MS + 40 * MINUTE_MS);
    const { deadline } = await ask({ situation, candidates, allLaneIds, terms });
    expect(deadline?.options).toEqual([
      { kind: 'pool-all', linesLeft: 0 },
      { kind: 'provider', providerId: 'gamma', linesLeft: 0 },
      { kind: 'provider', providerId: 'beta', linesLeft: 0 },
    ]);
  });

  it('begins with the hours of the batch, and goes on in the next ones where these are too short', async () => {
    const sinceHour = Math.round((NOW_MS % HOUR_MS) / MINUTE_MS);
    const later = await ask({ terms: duringHours(2, 5) });
    // The bucket is full by then.
    expect(finishInMinutes(later)[1]).toBe(2 * 60 - sinceHour + 59);
    expect(later.lanes[0]?.state).toEqual({ kind: 'opens', atMs: NOW_MS + (2 * 60 - sinceHour) * MINUTE_MS });
    const [earliest, at] = finishInMinutes(await ask({ terms: duringHours(2, 1), measured: measured(900) }));
    const opensInMinutes = 26 * 60 - sinceHour;
    expect(at).toBeGreaterThan(opensInMinutes + 25);
    expect(at).toBeLessThan(opensInMinutes + 35);
    expect(earliest).toBe(opensInMinutes);
    expect(later.deadline).toBeNull();
    const terms = { ...duringHours(2, 1), deadlineAtMs: NOW_MS + 20 * HOUR_MS };
    const short = await ask({ terms, measured: measured(900) });
    expect(short.deadline?.linesLeft).toBeGreaterThan(270);
    expect(short.deadline?.linesLeft).toBeLessThan(310);
  });

  it('goes before others by its priority', async () => {
    const terms = { ...ANY_TERMS, priority: 1 };
    expect(finishInMinutes(await ask({ situation: othersWaiting(5_000), terms }))[1]).toBe(60);
  });

  it('has its instants in whole milliseconds', async () => {
    const { finish } = await ask({ measured: measured(7) });
    if (finish.kind !== 'at') throw new Error('Expected a finish.');
    const instants = [finish.earliestMs, finish.atMs, finish.latestMs];
    expect(instants.filter((atMs) => !Number.isInteger(atMs))).toEqual([]);
  });

  it('tells how far it is, and stops when it is told to', async () => {
    const { told } = await ask({ candidates: [{ provider: beta, laneIdsOf: () => ['beta/small'] }] });
    expect(told.at(-1)).toEqual([4, 4]);
    await expect(ask({}, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
  });
});
