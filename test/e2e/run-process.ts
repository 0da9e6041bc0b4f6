/** `run` as a process, until the command line is there: the same flags, the same exit codes. */
import { homedir } from 'node:os';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { absolute, runBatch } from '../../src/cli/run-batch.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { promptTask, summarizeTask } from '../../src/core/task.ts';
import { openNightshift } from '../../src/wire.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    out: { type: 'string' },
    errors: { type: 'string' },
    task: { type: 'string' },
    prompt: { type: 'string' },
    field: { type: 'string' },
    pool: { type: 'string' },
    config: { type: 'string' },
    data: { type: 'string' },
    name: { type: 'string' },
    limit: { type: 'string' },
    fresh: { type: 'boolean' },
  },
});

const say = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

const taskOf = () => {
  const options = values.field === undefined ? {} : { textField: values.field };
  if (values.prompt !== undefined) {
    const task = promptTask(readFileSync(values.prompt, 'utf8'), options);
    if (task.kind === 'invalid') throw new Error(task.message);
    return task;
  }
  return values.task === undefined ? null : summarizeTask(options);
};

const main = async (): Promise<number> => {
  const input = positionals[1] ?? '-';
  const output = absolute(values.out ?? 'out.jsonl');
  const drain = new AbortController();
  const abort = new AbortController();
  process.on('SIGINT', () => (drain.signal.aborted ? abort.abort() : drain.abort()));
  const config = await loadConfig({
    flags: { config: values.config, data: values.data },
    environment: process.env,
    workingDirectory: process.cwd(),
    homeDirectory: homedir(),
  });
  await using nightshift = await openNightshift(config, { onWait: say, onLost: (error) => say(error.message) });
  let lastSaid = '';
  const end = await runBatch(
    nightshift,
    config,
    {
      input: input === '-' ? input : absolute(input),
      output,
      errors: absolute(values.errors ?? output.replace(/(\.jsonl)?$/u, '.errors.jsonl')),
      task: taskOf(),
      pool: values.pool ?? null,
      name: values.name ?? basename(input),
      limit: values.limit === undefined ? null : Number(values.limit),
      fresh: values.fresh === true,
    },
    {
      ingesting: () => {},
      ingested: (_batch, reasons) => {
        for (const reason of reasons.first) say(reason);
      },
      progressed: ({ lanes }) => {
        const closed = lanes.flatMap(({ laneId, closing }) =>
          closing?.needsUser === true ? [`${laneId}: ${closing.kind}: ${closing.reason}`] : [],
        );
        const text = closed.join('\n');
        if (text !== lastSaid) say(text);
        lastSaid = text;
      },
      draining: (calls) => say(`waiting for ${calls} calls; the same command resumes`),
    },
    { drain: drain.signal, abort: abort.signal },
  );
  switch (end.kind) {
    case 'finished':
      return end.progress.batch.bad + end.progress.batch.failed > 0 ? 2 : 0;
    case 'interrupted':
      return 130;
    case 'stuck':
      return 1;
  }
};

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    say(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  },
);
