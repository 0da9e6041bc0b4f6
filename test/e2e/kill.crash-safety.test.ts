/** Risk test: whatever is killed at whatever moment, no line is lost, none is final twice, and no call is wasted. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { chatLine, customIdsOf, ids, readFinalLines } from './lines.ts';
import { callCount, callsInFlight, provider, refusals, rolling, until } from './providers.ts';
import { setStage, type Stage } from './stage.ts';

/** A long run kills in a larger night, at moments spread wider. */
const IS_LONG = process.env['NIGHTSHIFT_LONG'] === '1';
const LINES = IS_LONG ? 2_000 : 400;
const KILLS = 10;

const slowTiers = () => [
  provider('steady', { latencyMs: 400, concurrency: 8, limits: [rolling('requests', IS_LONG ? 60 : 16, 1_000)] }),
  provider('quick', { latencyMs: 60, concurrency: 4, limits: [rolling('requests', IS_LONG ? 60 : 16, 1_000)] }),
];

/** A call that the provider has answered is under way until its result is in the record: so long at most. */
const STORING_MS = 150;

/** Calls that were under way when the process was killed, by the provider's own log. */
const callsCutBy = (stage: Stage, killedAtMs: number): number =>
  stage.simulator
    .calls()
    .filter(({ arrivedAtMs, durationMs }) => arrivedAtMs <= killedAtMs && arrivedAtMs + durationMs + STORING_MS >= killedAtMs)
    .length;

const firstCallAfter = async (stage: Stage, callsBefore: number): Promise<number> => {
  await until('a first call', () => callCount(stage.simulator) > callsBefore);
  return Date.now();
};

/** The longest time without a call from an instant to the last call. */
const longestPauseMs = (stage: Stage, fromMs: number): number => {
  const instants = [fromMs, ...stage.simulator.calls().map((call) => call.arrivedAtMs)]
    .filter((atMs) => atMs >= fromMs)
    .toSorted((a, b) => a - b);
  return Math.round(Math.max(...instants.map((atMs, index) => atMs - (instants[index - 1] ?? atMs))));
};

test(
  `A run that is killed ${KILLS} times at random moments loses no line, finishes none twice and wastes no other call`,
  { timeout: 600_000 },
  async () => {
    await using stage = await setStage({ tiers: slowTiers(), holdsServer: false });
    const names = ids(LINES);
    const input = await stage.write('in.jsonl', names.map((name) => chatLine(name)));
    const output = stage.path('out.jsonl');
    const args = ['run', input, '--out', output];
    const killInstants: number[] = [];
    const secondsToWork: number[] = [];

    for (let kill = 0; kill < KILLS; kill += 1) {
      const before = callCount(stage.simulator);
      const command = stage.start(args);
      secondsToWork.push(((await firstCallAfter(stage, before)) - command.startedAtMs) / 1_000);
      await delay(Math.random() * (IS_LONG ? 3_000 : 1_200));
      command.kill('SIGKILL');
      const { signal, stderr } = await command.ended;
      killInstants.push(Date.now());
      expect(signal, stderr).toBe('SIGKILL');
    }
    const lastStartedAtMs = Date.now();
    const last = await stage.run(args);
    const pauseMs = longestPauseMs(stage, lastStartedAtMs);

    expect(last.code, last.stderr).toBe(0);
    expect(customIdsOf(await readFinalLines(output))).toEqual(names);
    const inFlightAtKills = killInstants.reduce((sum, killedAtMs) => sum + callsCutBy(stage, killedAtMs), 0);
    console.log(
      `calls ${callCount(stage.simulator)} for ${LINES} lines, ${inFlightAtKills} in flight at the kills; ` +
        `to the first call ${secondsToWork.map((seconds) => seconds.toFixed(1)).join(' ')} s; last run ${last.durationMs} ms, longest pause in it ${pauseMs} ms`,
    );
    expect(callCount(stage.simulator)).toBeLessThanOrEqual(LINES + inFlightAtKills);
    expect(Math.max(...secondsToWork)).toBeLessThan(5);
    expect(pauseMs).toBeLessThan(5_000);
    expect(refusals(stage.simulator)).toBe(0);
  },
);

test('After a kill -9 of PostgreSQL the run recovers or says what happened, and the next run loses no line', async () => {
  await using stage = await setStage({ tiers: slowTiers(), holdsServer: false });
  const names = ids(150);
  const input = await stage.write('in.jsonl', names.map((name) => chatLine(name)));
  const output = stage.path('out.jsonl');
  const args = ['run', input, '--out', output];

  const command = stage.start(args);
  await until('twenty calls', () => callCount(stage.simulator) >= 20);
  const inFlight = callsInFlight(stage.simulator);
  process.kill(await stage.postmasterPid(), 'SIGKILL');
  const first = await command.ended;
  console.log(`after the kill: exit ${first.code} after ${first.durationMs} ms\n${first.stderr}`);
  expect([0, 1]).toContain(first.code);
  if (first.code === 1) expect(first.stderr).toMatch(/PostgreSQL/u);
  const second = await stage.run(args);

  expect(second.code, second.stderr).toBe(0);
  expect(customIdsOf(await readFinalLines(output))).toEqual(names);
  console.log(`calls ${callCount(stage.simulator)} for ${names.length} lines, ${inFlight} in flight at the kill`);
});
