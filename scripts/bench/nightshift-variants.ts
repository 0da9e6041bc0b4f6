/** Nightshift as a user runs it: `nightshift run` in a process of its own, on a home that is open. */
import { join } from 'node:path';
import type pg from 'pg';
import { configPath, type Home, type HomeKind, MAIN } from './homes.ts';
import { measureCalls } from './measure-calls.ts';
import { writeConfig, writeShortLines } from './short-lines.ts';
import type { GrantToCall, Measurement, Setting, Variant } from './variant.ts';

/** Nightshift on a home of this kind. */
export const nightshiftOn = (kind: HomeKind): Variant => ({
  id: kind.id,
  title: kind.title,
  async start(setting) {
    const home = await kind.open(setting);
    return {
      measure: (lines) => measureRun(setting, home, lines),
      [Symbol.asyncDispose]: () => home[Symbol.asyncDispose](),
    };
  },
});

let batches = 0;

/** Takes a new batch in, runs it to its end and writes its output. */
export const measureRun = async (
  { provider, concurrency, directory }: Setting,
  home: Home,
  lines: number,
): Promise<Measurement> => {
  batches += 1;
  const paths = {
    input: join(directory, `batch-${batches}.jsonl`),
    output: join(directory, `batch-${batches}.out.jsonl`),
    config: configPath(directory),
  };
  await writeShortLines(paths.input, lines, `batch-${batches}`);
  await writeConfig(paths.config, provider.baseUrl, concurrency);
  const run = ['run', paths.input, '--out', paths.output, '--config', paths.config, '--quiet', '--json'];
  const measured = await measureCalls({
    provider,
    lines,
    command: {
      script: [MAIN, ...run, ...home.flags],
      environment: home.environment,
      workingDirectory: directory,
    },
    name: 'nightshift run',
    watched: home.watched,
  });
  return { ...measured, grantToCall: await readGrantToCall(home.client, lines) };
};

/** Of the latest calls in the record, as many as the batch has lines. */
const readGrantToCall = async (client: pg.Client, lines: number): Promise<GrantToCall> => {
  const { rows } = await client.query<{ calls: number } & GrantToCall>(
    `SELECT count(*)::integer AS calls,
            percentile_cont(0.5) WITHIN GROUP (ORDER BY begun_at_ms - granted_at_ms)  AS "p50Ms",
            percentile_cont(0.99) WITHIN GROUP (ORDER BY begun_at_ms - granted_at_ms) AS "p99Ms"
     FROM (SELECT begun_at_ms, granted_at_ms FROM nightshift.grants WHERE begun_at_ms IS NOT NULL ORDER BY id DESC LIMIT $1) AS latest`,
    [lines],
  );
  const [found] = rows;
  if (found === undefined || found.calls < lines)
    throw new Error(
      `Expected ${lines} calls in the record, got ${found?.calls ?? 0}: the run used another home.`,
    );
  return { p50Ms: found.p50Ms, p99Ms: found.p99Ms };
};
