/** The pull loop on a night, as a process of its own. */
import { fileURLToPath } from 'node:url';
import { runChild } from './child.ts';
import { startingNow } from './night-clock.ts';
import type { Contender } from './setting.ts';

const PROGRAM = fileURLToPath(new URL('../pull-loop/pull-process.ts', import.meta.url));
/** From its start to its first call it takes about so long, in real ms. */
const USUAL_START_MS = 2_000;

/** Runs it. */
export const runPull: Contender = async (setting) => {
  const { night, nightFile, providers, rate, directory, longestMs, signal } = setting;
  const clock = startingNow(night.startsAtMs - USUAL_START_MS * rate, rate);
  await providers.begin(clock);
  const end = await runChild({
    script: [PROGRAM, nightFile, providers.url, JSON.stringify(clock)],
    workingDirectory: directory,
    longestMs: longestMs / rate,
    signal,
  });
  if (end.kind === 'too-long') return 'given up: it took too long';
  return end.code === 0 ? null : `the pull loop ended with exit code ${end.code}: ${end.said}`;
};
