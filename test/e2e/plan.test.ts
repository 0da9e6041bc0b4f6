/** `nightshift plan`: what it says beforehand, against what then happens. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { describeHomes, isThorough } from '../homes/homes.ts';
import { requireExit } from './command.ts';
import { chatLine, ids } from './lines.ts';
import { callCount, provider, refill, rolling } from './providers.ts';
import { setStage, type Stage } from './stage.ts';

const planReply = z.object({
  atMs: z.number(),
  lines: z.number(),
  bad: z.object({ first: z.array(z.string()), count: z.number() }),
  finish: z.object({ kind: z.literal('at'), atMs: z.number(), earliestMs: z.number(), latestMs: z.number() }),
  lanes: z.array(z.object({ laneId: z.string(), lines: z.number(), boundBy: z.string().nullable() })),
  deadline: z.object({ linesLeft: z.number() }).nullable(),
  batch: z.object({ linesDone: z.number() }).nullable(),
});

const readPlan = (stdout: string) => planReply.parse(JSON.parse(stdout));

const statusReply = z.object({
  progress: z.object({
    forecast: z.object({ finishAtMs: z.number(), spreadMs: z.number() }).nullable(),
  }),
});

/** What `status` says of the end of a batch, once it says something. */
const forecastOf = async (stage: Stage, batch: string) => {
  for (;;) {
    const { code, stdout } = await stage.run(['status', batch, '--json']);
    const found = code === 0 ? statusReply.parse(JSON.parse(stdout)).progress.forecast : null;
    if (found !== null) return found;
  }
};

/** A forecast may be off by this share of the night; the bench holds it to less. */
const TOLERANCE = 0.25;

describeHomes((home) => {
  // Forecasts are made from the record, which is PostgreSQL on every home, so a quick run makes one.
  test.runIf(isThorough(home))(
    'the forecast of a file is when it is then done, calls nobody and stores nothing',
    async () => {
      await using stage = await setStage({
        home,
        tiers: [
          provider('rolls', { limits: [rolling('requests', 20, 2_000)], latencyMs: 100 }),
          provider('refills', { limits: [refill('requests', 12, 2_000)], latencyMs: 100 }),
        ],
      });
      // Calls show how long they take, and how long answers are.
      const first = await stage.write(
        'first.jsonl',
        ids(60, 'first-').map((id) => chatLine(id)),
      );
      requireExit(await stage.run(['run', first]), 0);
      const input = await stage.write('in.jsonl', [...ids(240).map((id) => chatLine(id)), 'no JSON']);
      const callsBefore = callCount(stage.simulator);

      const planned = await stage.run(['plan', input, '--json', '--deadline', '5s']);
      requireExit(planned, 0);
      const { atMs, finish, lines, bad, lanes, deadline, batch } = readPlan(planned.stdout);
      expect(callCount(stage.simulator)).toBe(callsBefore);
      expect(Number(await stage.ask('SELECT count(*) FROM batch'))).toBe(1);
      expect({ lines, bad: bad.count, batch }).toEqual({ lines: 240, bad: 1, batch: null });
      expect(lanes.map(({ laneId }) => laneId).toSorted()).toEqual(['refills/model', 'rolls/model']);

      const running = stage.start(['run', input]);
      const early = await forecastOf(stage, 'in');
      requireExit(await running.ended, 2);
      const endedAtMs = Number(await stage.ask(`SELECT completed_at_ms FROM batch WHERE name = 'in'`));
      const tookMs = Number(
        await stage.ask(
          `SELECT max(b.completed_at_ms) - min(g.begun_at_ms) FROM batch b JOIN request r ON r.batch_id = b.id
         JOIN grants g ON g.request_id = r.id WHERE b.name = 'in'`,
        ),
      );
      const forecastMs = finish.atMs - atMs;
      console.log(`forecast ${Math.round(forecastMs)} ms, took ${tookMs} ms`);
      expect(Math.abs(forecastMs - tookMs) / tookMs).toBeLessThan(TOLERANCE);
      expect(Math.abs(early.finishAtMs - endedAtMs)).toBeLessThan(
        Math.max(TOLERANCE * tookMs, early.spreadMs),
      );
      expect(running.stderr()).toMatch(/ lines\/min · done about \d\d:\d\d/u);
      expect(finish.earliestMs).toBeLessThanOrEqual(finish.atMs);
      expect(finish.latestMs).toBeGreaterThanOrEqual(finish.atMs);
      expect(deadline?.linesLeft).toBeGreaterThan(100);
      expect(deadline?.linesLeft).toBeLessThan(240);
    },
  );

  test('without a record it plans as if nothing was used, and makes no record', async () => {
    await using stage = await setStage({
      home,
      holdsServer: false,
      tiers: [provider('rolls', { limits: [rolling('requests', 10, 60_000)] })],
    });
    const input = await stage.write(
      'in.jsonl',
      ids(100).map((id) => chatLine(id)),
    );
    const planned = await stage.run(['plan', input]);
    requireExit(planned, 0);
    expect(planned.stdout).toMatch(/^in: 100 lines to run\n/u);
    expect(planned.stdout).toMatch(/^Done about .+ \(in 9 min.*\), between /mu);
    expect(planned.stdout).toMatch(/rolls\/model +100 +100 % .* 10 requests a minute/u);
    expect(existsSync(join(stage.dataDirectory, 'postgres'))).toBe(false);
  });

  test('a file without a good line cannot be planned', async () => {
    await using stage = await setStage({ home, holdsServer: false, tiers: [provider('rolls')] });
    const input = await stage.write('in.jsonl', ['oops', '{}']);
    const { code, stderr } = await stage.run(['plan', input]);
    expect(code).toBe(1);
    expect(stderr).toContain('to hold at least one line that can run, got none in 2');
  });
});
