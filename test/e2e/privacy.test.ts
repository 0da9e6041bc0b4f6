/**
 * Where prompts go, on a whole machine: a provider that a batch rules out gets none of its lines, whatever fails; what
 * becomes of prompts is told once; a second key for one free provider gets no seat.
 */
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { describeHomes, isThorough } from '../homes/homes.ts';
import { requireExit } from './command.ts';
import { onCommonGround } from './ground.ts';
import { chatLine, ids, readFinalLines } from './lines.ts';
import { startService } from './processes.ts';
import { callsInFlight, MODEL, provider, until } from './providers.ts';
import { setStage, type Stage } from './stage.ts';

const KEY_ENV = 'NIGHTSHIFT_E2E_KEY';
const KEY = 'the-first-key';
const WITH_KEY = { environment: { [KEY_ENV]: KEY } };
const WITH_OTHER_KEY = { environment: { [KEY_ENV]: 'the-second-key' } };
const NOTICE = /curious may train on what you send .*--except curious/u;

const withNotices = z.looseObject({ notices: z.array(z.string()) });
const withPolicy = z.object({ progress: z.object({ batch: z.object({ policy: z.unknown() }) }) });

describeHomes((home) => {
  let stage: Stage;

  onCommonGround(async (ground) => {
    stage = ground.use(
      await setStage({
        home,
        tiers: [provider('honest', { apiKey: KEY }), provider('curious', { apiKey: KEY })],
        apiKeyEnv: KEY_ENV,
      }),
    );
    const text = await readFile(stage.path('nightshift.yaml'), 'utf8');
    const [honest = '', curious = ''] = text.split('  curious:');
    await stage.write('nightshift.yaml', [
      `${honest}  curious:${curious.replace('trainsOnData: false', 'trainsOnData: true')}`,
    ]);
  });

  const callsOn = (providerId: string): number => stage.simulator.stats().providers[providerId]?.calls ?? 0;

  const inputOf = async (name: string, count = 3): Promise<string> =>
    await stage.write(
      `${name}.jsonl`,
      ids(count, name).map((id) => chatLine(id)),
    );

  test('a lane that is ruled out gets no line, though all else fails, and nothing is told of it', async () => {
    const input = await inputOf('secret');
    stage.simulator.setFaults([{ provider: 'honest', kind: 'empty-answer' }]);
    const ended = await stage.run(['run', input, '--no-training', '--json'], WITH_KEY);
    stage.simulator.setFaults([]);
    requireExit(ended, 2);
    expect([callsOn('curious'), callsOn('honest') > 0]).toEqual([0, true]);
    expect(withNotices.parse(JSON.parse(ended.stdout)).notices).toEqual([]);
    expect(ended.stderr).not.toContain('note:');
    const failed = await readFinalLines(stage.path('secret.out.errors.jsonl'));
    expect(failed.map(({ nightshift }) => [...new Set(nightshift.attempts.map(({ lane }) => lane))])).toEqual(
      Array.from({ length: 3 }, () => [`honest/${MODEL}`]),
    );
    const status = await stage.run(['status', 'secret', '--json'], WITH_KEY);
    expect(withPolicy.parse(JSON.parse(status.stdout)).progress.batch.policy).toMatchObject({
      forbidsTraining: true,
    });
  });

  test('what becomes of prompts is told before the first batch that goes there, once', async () => {
    const first = await stage.run(['run', await inputOf('first'), '--quiet', '--json'], WITH_KEY);
    requireExit(first, 0);
    expect(first.stderr).toMatch(NOTICE);
    expect(withNotices.parse(JSON.parse(first.stdout)).notices).toEqual([expect.stringMatching(NOTICE)]);
    const second = await stage.run(['run', await inputOf('second'), '--json'], WITH_KEY);
    requireExit(second, 0);
    expect(second.stderr).not.toContain('note:');
    expect(withNotices.parse(JSON.parse(second.stdout)).notices).toEqual([]);
  });

  test('a policy that misspells a provider is refused with the nearest, and nothing runs', async () => {
    const before = callsOn('honest') + callsOn('curious');
    const ended = await stage.run(['run', await inputOf('typo'), '--except', 'curios'], WITH_KEY);
    requireExit(ended, 1);
    expect(ended.stderr).toContain('got "curios". Did you mean curious');
    expect(callsOn('honest') + callsOn('curious')).toBe(before);
  });

  test('a second key gets no seat while a process with the first is at work', async () => {
    // For longer than another command takes to start, on a busy machine.
    stage.simulator.setFaults([{ provider: '*', kind: 'slow', latencyMs: 12_000 }]);
    const first = stage.start(['run', await inputOf('slow')], WITH_KEY);
    await until('a call', () => callsInFlight(stage.simulator) > 0);
    const second = await stage.run(['run', await inputOf('late')], WITH_OTHER_KEY);
    stage.simulator.setFaults([]);
    requireExit(second, 1);
    expect(second.stderr).toContain(`that process ${first.pid} on `);
    expect(second.stderr).toContain('One account per free provider is what their terms allow.');
    expect(second.stderr).not.toContain('unexpected');
    expect(`${second.stderr}${second.stdout}`).not.toContain('second-key');
    requireExit(await first.ended, 0);
  });

  test.runIf(isThorough(home))('a service tells with its answer, and keeps a second key out', async () => {
    await stage.ask('DELETE FROM nightshift.notice_told RETURNING 1');
    const service = await startService(stage, { surroundings: WITH_KEY });
    const told = await stage.run(['submit', await inputOf('served'), '--json']);
    requireExit(told, 0);
    expect(told.stderr).toMatch(NOTICE);
    expect(withNotices.parse(JSON.parse(told.stdout)).notices).toHaveLength(1);
    const again = await stage.run(['submit', await inputOf('again'), '--json']);
    expect(withNotices.parse(JSON.parse(again.stdout)).notices).toEqual([]);
    const worker = await stage.run(['up', '--role', 'worker'], WITH_OTHER_KEY);
    requireExit(worker, 1);
    expect(worker.stderr).toContain('Give both the same key');
    await service.kill('SIGTERM');
    const rotated = await startService(stage, { surroundings: WITH_OTHER_KEY });
    await rotated.kill();
    await (await startService(stage, { surroundings: WITH_KEY })).kill('SIGTERM');
  });
});
