import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { MINUTE_MS } from '../../scripts/night/limits.ts';
import { readForecasts } from '../../scripts/night/run/forecasts.ts';

const START_MS = 1_795_233_600_000;

/** A plan of so many minutes into the night. */
const planAt = (minutes: number, finishMinutes: number | null, untriedLanes = 0): string =>
  JSON.stringify({
    level: 30,
    msg: 'plan.made',
    madeAtMs: START_MS + minutes * MINUTE_MS,
    finishAtMs: finishMinutes === null ? null : START_MS + finishMinutes * MINUTE_MS,
    untriedLanes,
  });

/** What is read of a night of 100 minutes from these lines of the log. */
const forecastsOf = async (lines: readonly string[]) => {
  const directory = await mkdtemp(join(tmpdir(), 'nightshift-forecasts-'));
  try {
    await mkdir(join(directory, 'data'));
    await writeFile(join(directory, 'data', 'nightshift.log'), `${lines.join('\n')}\n`);
    return await readForecasts(directory, { firstCallAtMs: START_MS, makespanMs: 100 * MINUTE_MS });
  } finally {
    await rm(directory, { recursive: true });
  }
};

test('forecasts are told as parts of what the night took, of those who knew the lanes and of half time', async () => {
  const lines = [
    planAt(-60_000, -59_990),
    planAt(0, 30, 4),
    '{"level":30,"msg":"grants.made"}',
    planAt(0.5, 95),
    planAt(49, 104),
    planAt(51, 70),
  ];
  expect(await forecastsOf(lines)).toEqual({ atStart: 0.95, atHalf: 1.04 });
});

test('a lane that nobody has heard of after a minute delays the first forecast no longer', async () => {
  expect(await forecastsOf([planAt(0, 30, 4), planAt(1.1, 60, 1), planAt(2, 95)])).toEqual({
    atStart: 0.6,
    atHalf: 0.95,
  });
});

test('what was not forecast is told so', async () => {
  expect(await forecastsOf([planAt(0.1, null)])).toEqual({ atStart: null, atHalf: null });
});
