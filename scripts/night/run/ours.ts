/** Nightshift itself on a night: the command line as a user would call it, on a home of its own. */
import { createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { stringify } from 'yaml';
import { configFor } from '../../../src/simulator/config-for.ts';
import { EXIT } from '../../../src/cli/exit-code.ts';
import { MAIN } from '../../bench/homes.ts';
import { lineOf } from '../document-line.ts';
import { DAY_MS, MINUTE_MS } from '../limits.ts';
import type { Night } from '../night.ts';
import { runChild } from './child.ts';
import { type NightHome, openNightHome } from './home.ts';
import { startingNow } from './night-clock.ts';
import type { Contender, RunFault, RunSetting } from './setting.ts';

/** The pool of all lanes, which the lines name as their model. */
const POOL = 'small';
/** Taking the input in is not part of the night; it may take this long, in real ms. */
const LONGEST_INGEST_MS = 120_000;
/** From its start to its first call the command takes about so long, in real ms: the night's clock begins as much earlier. */
const USUAL_START_MS = 1_500;

/** Takes the input in, sets the clocks to the night's beginning, and runs it. */
export const runOurs: Contender = async (setting) => {
  const { night, providers, rate, directory, longestMs } = setting;
  await using home = await openNightHome(setting.home, directory);
  await writeFile(join(directory, CONFIG), stringify(configFor(providers.url, night.tiers)));
  if (setting.isPractised) {
    const fault = await practise(setting, home);
    if (fault !== null) return fault;
  }
  await writeLines(setting, INPUT, inputLines(setting.night));
  const { code, said } = await nightshift(setting, home, ['submit', INPUT], LONGEST_INGEST_MS);
  if (code !== 0) return `submit ended with exit code ${code}: ${said}`;
  const clock = startingNow(night.startsAtMs - USUAL_START_MS * rate, rate);
  await home.setClock(clock);
  await providers.begin(clock);
  const run = ['run', INPUT, '--out', 'out.jsonl', ...deadlineOf(night)];
  const ended = await nightshift(setting, home, run, longestMs / rate);
  return FINISHED.includes(ended.code) ? null : `run ended with exit code ${ended.code}: ${ended.said}`;
};

const deadlineOf = ({ startsAtMs, deadlineMs }: Night): readonly string[] =>
  deadlineMs === null ? [] : ['--deadline', new Date(startsAtMs + deadlineMs).toISOString()];

/** With all lines answered, or with some that failed or expired: the log of calls tells which. */
const FINISHED: readonly number[] = [EXIT.done, EXIT.someFailed];

const INPUT = 'in.jsonl';

const inputLines = function* ({ documents }: Night): Generator<string> {
  for (const document of documents) yield `${lineOf(document, POOL)}\n`;
};

const writeLines = async ({ directory }: RunSetting, name: string, lines: Iterable<string>): Promise<void> =>
  await pipeline(Readable.from(lines), createWriteStream(join(directory, name)));

/** A small night of one document in so many, and so many calls on every lane besides. */
const PRACTICE_STEP = 15;
const PRACTICE_CALLS = 3;
/** So long before the night that no window knows of it any more. */
const PRACTICE_BEFORE_MS = 40 * DAY_MS;
const LONGEST_PRACTICE_MS = 60 * MINUTE_MS;
const PRACTICE = 'practice.jsonl';

/** What a user has who ran a batch before: lanes that have shown how long their calls take, and answers how long they are. */
const practise = async (setting: RunSetting, home: NightHome): Promise<RunFault> => {
  const { night, providers, rate } = setting;
  await writeLines(setting, PRACTICE, practiceLines(night));
  const { code, said } = await nightshift(setting, home, ['submit', PRACTICE], LONGEST_INGEST_MS);
  if (code !== 0) return `submit of the practice ended with exit code ${code}: ${said}`;
  const clock = startingNow(night.startsAtMs - PRACTICE_BEFORE_MS, rate);
  await home.setClock(clock);
  await providers.begin(clock);
  const run = ['run', PRACTICE, '--out', 'practice.out.jsonl'];
  const ended = await nightshift(setting, home, run, LONGEST_PRACTICE_MS / rate);
  return FINISHED.includes(ended.code) ? null : `practice ended with exit code ${ended.code}: ${ended.said}`;
};

/** For every lane by its name documents of a size that all take, so that each is called; for the pool some of all sizes. */
const practiceLines = function* ({ tiers, documents }: Night): Generator<string> {
  for (const document of documents.filter((_, index) => index % PRACTICE_STEP === 0))
    yield `${lineOf({ ...document, id: `some ${document.id}` }, POOL)}\n`;
  const few = documents.toSorted((a, b) => a.promptTokens - b.promptTokens);
  const from = Math.floor(few.length / 3);
  for (const tier of tiers)
    for (const model of tier.models)
      for (const document of few.slice(from, from + PRACTICE_CALLS)) {
        const laneId = `${tier.id}/${model.id}`;
        yield `${lineOf({ ...document, id: `${laneId} ${document.id}` }, laneId)}\n`;
      }
};

const CONFIG = 'nightshift.yaml';

const nightshift = async (
  { directory, signal }: RunSetting,
  home: NightHome,
  args: readonly string[],
  longestMs: number,
): Promise<{ readonly code: number; readonly said: string }> => {
  const end = await runChild({
    script: [MAIN, ...args, '--config', CONFIG, ...home.flags],
    workingDirectory: directory,
    environment: { ...home.environment, NO_COLOR: '1' },
    longestMs,
    signal,
  });
  return end.kind === 'exited' ? end : { code: 128, said: 'given up: it took too long' };
};
