/** One provider misbehaves, the others do its work. */
import { describe, expect, test } from 'vitest';
import type { FaultKind } from '../../src/simulator/faults/fault.ts';
import { casesFor, describeHomes, isThorough } from '../homes/homes.ts';
import { onCommonGround } from './ground.ts';
import { chatLine, customIdsOf, failedAttempts, ids, readFinalLines } from './lines.ts';
import { callCount, MODEL, provider } from './providers.ts';
import { requireExit } from './command.ts';
import { setStage, type Stage } from './stage.ts';

interface Misbehaviour {
  readonly fault: FaultKind;
  /** What the provenance calls it. */
  readonly outcome: string;
  /** The most calls that reach the provider in one run of 30 lines; 16 go out at once before the first comes back. */
  readonly mostCalls: number;
  /** Whether only a person can mend it, so that the run says so. */
  readonly needsUser?: boolean;
}

const LINES = 30;

const MISBEHAVIOURS: readonly Misbehaviour[] = [
  { fault: 'http-500', outcome: 'sick', mostCalls: LINES },
  { fault: 'http-503', outcome: 'sick', mostCalls: LINES },
  { fault: 'http-502-html', outcome: 'sick', mostCalls: LINES },
  { fault: 'html-200', outcome: 'sick', mostCalls: LINES },
  { fault: 'not-json-200', outcome: 'sick', mostCalls: LINES },
  { fault: 'error-in-200', outcome: 'sick', mostCalls: LINES },
  { fault: 'empty-200', outcome: 'sick', mostCalls: LINES },
  { fault: 'empty-answer', outcome: 'useless-answer', mostCalls: LINES },
  { fault: 'truncated', outcome: 'useless-answer', mostCalls: LINES },
  { fault: 'refused', outcome: 'useless-answer', mostCalls: LINES },
  { fault: 'hang', outcome: 'sick', mostCalls: LINES },
  { fault: 'reset', outcome: 'sick', mostCalls: LINES },
  { fault: 'dead', outcome: 'sick', mostCalls: LINES },
  { fault: 'unauthorized', outcome: 'bad-key', mostCalls: 16, needsUser: true },
  { fault: 'gemini-bad-key', outcome: 'bad-key', mostCalls: 16, needsUser: true },
  { fault: 'payment-required', outcome: 'no-money', mostCalls: 16, needsUser: true },
  { fault: 'insufficient-quota', outcome: 'no-money', mostCalls: 16, needsUser: true },
  { fault: 'forbidden', outcome: 'forbidden', mostCalls: LINES },
  { fault: 'gone', outcome: 'gone', mostCalls: LINES },
  { fault: 'gone-410', outcome: 'gone', mostCalls: LINES },
  { fault: 'quota-minute', outcome: 'minute-limit', mostCalls: LINES },
  { fault: 'quota-day', outcome: 'day-limit', mostCalls: 16 },
  { fault: 'too-large', outcome: 'too-large', mostCalls: LINES },
  { fault: 'context-length', outcome: 'too-large', mostCalls: LINES },
];

const isFirstOfOutcome = ({ outcome }: Misbehaviour, index: number): boolean =>
  MISBEHAVIOURS.findIndex((other) => other.outcome === outcome) === index;

const dialectFor = (fault: FaultKind) => (fault === 'gemini-bad-key' ? 'gemini' : 'openai');

const badId = (fault: FaultKind): string => `bad-${fault}`;

const LONE_LANE_FAULTS: readonly FaultKind[] = ['http-500', 'reset'];

const ABSENCES = [
  { when: 'at the beginning', fromMs: 0, untilMs: 4_000 },
  { when: 'in the middle', fromMs: 3_000, untilMs: 7_000 },
];

describeHomes((home) => {
  const misbehaviours = casesFor(home, MISBEHAVIOURS, isFirstOfOutcome);

  describe('With one provider of three at fault every line is done by the others', () => {
    let stage: Stage;

    onCommonGround(async (ground) => {
      stage = ground.use(
        await setStage({
          home,
          tiers: [
            ...misbehaviours.map(({ fault }) => provider(badId(fault), { dialect: dialectFor(fault) })),
            provider('sound-a', { latencyMs: 20, concurrency: 4 }),
            // Larger than the rest: who calls a request too large is not asked again, nor is anybody of that size.
            provider('sound-b', { latencyMs: 20, concurrency: 4, contextTokens: 32_000 }),
          ],
          faults: misbehaviours.map(({ fault }) => ({ provider: badId(fault), kind: fault })),
          pools: Object.fromEntries(
            misbehaviours.map(({ fault }) => [
              `with-${fault}`,
              [badId(fault), 'sound-a', 'sound-b'].map((id) => `${id}/${MODEL}`),
            ]),
          ),
          // For the providers that never answer; sound ones may take a second on a busy machine.
          timeout: '4s',
        }),
      );
    });

    test.each(misbehaviours)(
      'when it answers with $fault, which the provenance calls $outcome',
      async (misbehaviour) => {
        const { fault, outcome, mostCalls, needsUser = false } = misbehaviour;
        const names = ids(LINES, `${fault}-`);
        const input = await stage.write(
          `${fault}.jsonl`,
          names.map((name) => chatLine(name)),
        );
        const output = stage.path(`${fault}.out.jsonl`);

        const { code, stderr, durationMs } = await stage.run([
          'run',
          input,
          '--out',
          output,
          '--pool',
          `with-${fault}`,
        ]);

        requireExit({ code, stderr }, 0);
        const lines = await readFinalLines(output);
        expect(customIdsOf(lines)).toEqual(names);
        const failed = failedAttempts(lines);
        const calls = stage.simulator.stats().providers[badId(fault)]?.calls ?? 0;
        console.log(`${fault}: ${calls} calls, ${durationMs} ms`);
        expect(new Set(failed.map((attempt) => attempt.outcome))).toEqual(new Set([outcome]));
        expect(new Set(failed.map((attempt) => attempt.lane))).toEqual(new Set([`${badId(fault)}/${MODEL}`]));
        expect(calls).toBeLessThanOrEqual(mostCalls);
        // Whoever can mend it is told.
        expect(!needsUser || stderr.includes(badId(fault))).toBe(true);
      },
    );

    test('and the next run asks it once more, since it has no key that could change, and then remembers', async () => {
      const input = await stage.write(
        'again.jsonl',
        ids(LINES, 'again-').map((name) => chatLine(name)),
      );
      const before = callCount(stage.simulator);

      const { code, stderr } = await stage.run([
        'run',
        input,
        '--out',
        stage.path('again.out.jsonl'),
        '--pool',
        'with-unauthorized',
      ]);

      requireExit({ code, stderr }, 0);
      expect(callCount(stage.simulator) - before).toBeLessThanOrEqual(LINES + 1);
    });
  });

  test.runIf(isThorough(home)).each(LONE_LANE_FAULTS)('A pool of one lane survives one %s', async (kind) => {
    await using stage = await setStage({
      home,
      tiers: [provider('only')],
      faults: [{ provider: 'only', kind, count: 1, afterCalls: 3 }],
    });
    const names = ids(10);
    const input = await stage.write(
      'in.jsonl',
      names.map((name) => chatLine(name)),
    );

    const { code, stderr } = await stage.run(['run', input, '--out', stage.path('out.jsonl')]);

    requireExit({ code, stderr }, 0);
    expect(customIdsOf(await readFinalLines(stage.path('out.jsonl')))).toEqual(names);
  });

  test.runIf(isThorough(home)).each(ABSENCES)(
    'Every provider dead for a while $when: the run waits and finishes',
    async ({ fromMs, untilMs }) => {
      const slow = { latencyMs: 300, concurrency: 2 };
      await using stage = await setStage({
        home,
        tiers: [provider('one', slow), provider('two', slow)],
        faults: [{ provider: '*', kind: 'dead', fromMs, untilMs }],
      });
      const names = ids(60);
      const input = await stage.write(
        'in.jsonl',
        names.map((name) => chatLine(name)),
      );
      stage.simulator.reset();

      const { code, stderr, durationMs } = await stage.run(['run', input, '--out', stage.path('out.jsonl')]);

      requireExit({ code, stderr }, 0);
      expect(customIdsOf(await readFinalLines(stage.path('out.jsonl')))).toEqual(names);
      console.log(
        `${durationMs} ms, dead from ${fromMs} to ${untilMs} ms, ${callCount(stage.simulator)} calls for ${names.length} lines`,
      );
    },
  );

  test.runIf(isThorough(home))(
    'With no key that works the run ends and says so, and with a new key the same command finishes',
    async () => {
      const apiKeyEnv = 'NIGHTSHIFT_E2E_KEY';
      await using stage = await setStage({
        home,
        tiers: [provider('locked', { apiKey: 'the-new-key' })],
        apiKeyEnv,
      });
      const names = ids(10);
      const input = await stage.write(
        'in.jsonl',
        names.map((name) => chatLine(name)),
      );
      const args = ['run', input, '--out', stage.path('out.jsonl')];

      const refused = await stage.run(args, { environment: { [apiKeyEnv]: 'the-old-key' } });
      const callsBefore = callCount(stage.simulator);
      requireExit(refused, 1);
      expect(refused.stdout + refused.stderr).toMatch(/locked/u);
      expect(refused.stdout + refused.stderr).toMatch(/key was refused/u);
      expect(refused.stdout + refused.stderr).not.toMatch(/the-(old|new)-key/u);
      requireExit(await stage.run(args, { environment: { [apiKeyEnv]: 'the-old-key' } }), 1);
      // The same key is not tried again.
      expect(callCount(stage.simulator)).toBe(callsBefore);
      const { code, stderr } = await stage.run(args, { environment: { [apiKeyEnv]: 'the-new-key' } });

      requireExit({ code, stderr }, 0);
      expect(customIdsOf(await readFinalLines(stage.path('out.jsonl')))).toEqual(names);
      expect(callCount(stage.simulator) - callsBefore).toBe(names.length);
    },
  );

  test.runIf(isThorough(home))(
    'A line that every lane fails ends as an error line with the whole trail, and is not called for again',
    async () => {
      await using stage = await setStage({
        home,
        tiers: [provider('cuts'), provider('refuses')],
        faults: [
          { provider: 'cuts', kind: 'truncated' },
          { provider: 'refuses', kind: 'refused' },
        ],
      });
      const input = await stage.write('in.jsonl', [chatLine('hopeless')]);
      const args = ['run', input, '--out', stage.path('out.jsonl')];

      const { code, stderr } = await stage.run(args);
      requireExit({ code, stderr }, 2);
      const [line] = await readFinalLines(stage.path('out.errors.jsonl'));
      expect(line?.custom_id).toBe('hopeless');
      expect(line?.nightshift.attempts.map((attempt) => attempt.outcome)).toEqual([
        'useless-answer',
        'useless-answer',
      ]);
      expect(new Set(line?.nightshift.attempts.map((attempt) => attempt.lane)).size).toBe(2);

      expect((await stage.run(args)).code).toBe(2);
      expect(callCount(stage.simulator)).toBe(2);
    },
  );
});
