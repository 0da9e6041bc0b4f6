/** The command line: names, options and the help that teaches them. What the commands do is in commands/. */
import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { TASK_NAMES } from '../core/tasks/task.ts';
import { DEFAULT_PORT } from '../service.ts';
import { cancel, list, pause, resume, retry, status } from './commands/batches.ts';
import { doctor } from './commands/doctor.ts';
import { explain } from './commands/explain.ts';
import { init } from './commands/init.ts';
import { providers } from './commands/providers.ts';
import { results } from './commands/results.ts';
import { run } from './commands/run.ts';
import { simulateTiers } from './commands/simulate.ts';
import { submit } from './commands/submit.ts';
import { up } from './commands/up.ts';
import { watch } from './commands/watch.ts';
import type { CliContext } from './context.ts';
import { EXIT_CODES_HELP, type ExitCode } from './exit-code.ts';
import { faultRule } from './fault-option.ts';
import { factor, filled, pageLength, port, positiveInteger, roles, wholeNumber } from './option-values.ts';

const TOP_HELP = `
First steps:
  $ npx nightshift init                                      write a commented nightshift.yaml
  $ npx nightshift doctor                                    check keys, without spending quota
  $ npx nightshift run docs.jsonl --task summarize           documents: {"id": ..., "text": ...} per line
  $ npx nightshift run batch.jsonl --out results.jsonl       OpenAI batch lines, as they are

As a service that stays up, with a board in the browser:
  $ npx nightshift up                                        then, in another terminal:
  $ npx nightshift submit docs.jsonl --task summarize
  $ npx nightshift watch docs

No key yet? npm run demo shows a whole night on simulated free tiers.

${EXIT_CODES_HELP}`;

/** The program of this context. `setExitCode` is told how a command ended; errors are thrown by its `parseAsync`. */
export function createProgram(context: CliContext, setExitCode: (code: ExitCode) => void): Command {
  const program = new Command('nightshift')
    .description(
      'Runs bulk LLM work overnight on the free tiers you already hold keys for:\nJSONL in, JSONL out, each provider at exactly the pace its tier allows.',
    )
    .version(readVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help; every command has its own')
    .helpCommand('help [command]', "print a command's help")
    .addHelpText('after', TOP_HELP)
    .showHelpAfterError('(add --help for what is possible)')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error: /u, 'nightshift: ')),
    });
  const end = (work: Promise<ExitCode>): Promise<void> => work.then(setExitCode);
  addRun(program, context, end);
  addService(program, context, end);
  addBatches(program, context, end);
  addLooks(program, context, end);
  addPreparations(program, context, end);
  return program;
}

type End = (work: Promise<ExitCode>) => Promise<void>;

function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  const isRecord = typeof manifest === 'object' && manifest !== null && 'version' in manifest;
  return isRecord ? String(manifest.version) : 'unknown';
}

const RUN_HELP = `
Examples:
  $ nightshift run docs.jsonl --task summarize
      one summary per document, into docs.out.jsonl; lines that failed into docs.out.errors.jsonl
  $ nightshift run tickets.jsonl.gz --prompt classify.txt --field body --limit 20
      a trial on the first 20 lines: {{text}} in classify.txt is each line's "body"
  $ cat batch.jsonl | nightshift run - --name tonight --out results.jsonl --json | jq .lines

Ctrl-C waits for the calls under way (a second one aborts them). The same command again resumes and calls nothing twice.

${EXIT_CODES_HELP}`;

function addRun(program: Command, context: CliContext, end: End): void {
  const command = program
    .command('run')
    .summary('run a file of requests or documents to its end')
    .description('Runs every line of INPUT on the lanes that may serve it, to one final line each.')
    .argument(
      '<INPUT.jsonl>',
      'OpenAI batch lines, or documents with --task or --prompt; .gz is unpacked, - is standard input',
    )
    .addOption(textOption('--out <FILE>', 'successes, in input order (default: INPUT with .out.jsonl)'))
    .addOption(
      textOption(
        '--errors <FILE>',
        'all other lines, each with its reason (default: OUT with .errors.jsonl)',
      ),
    )
    .option('--fresh', 'forget an earlier run of this input, and an unfinished batch at --out')
    .option('--json', 'print one JSON object at the end, on standard output')
    .option('--quiet', 'show no progress, only the summary');
  withService(withPolicy(command))
    .addHelpText('after', RUN_HELP)
    .action((input: string, options: Parameters<typeof run>[2]) => end(run(context, input, options)));
}

function addService(program: Command, context: CliContext, end: End): void {
  withConfig(
    program
      .command('up')
      .summary('start the service: HTTP interface, board, dispatcher, worker')
      .description(
        'Runs batches that others submit, until Ctrl-C or SIGTERM, which wait for the calls under way. Several of each role may run\nanywhere: with DATABASE_URL and REDIS_URL on those servers, else on the embedded database of the data directory.',
      )
      .addOption(
        new Option('--role <ROLES>', 'any of api, dispatcher, worker, with commas between them')
          .default(['api', 'dispatcher', 'worker'], 'all three')
          .argParser(roles),
      )
      .addOption(
        textOption(
          '--host <HOST>',
          'address to listen on; any but loopback needs NIGHTSHIFT_API_TOKEN',
        ).default('127.0.0.1'),
      )
      .addOption(
        new Option(
          '--port <N>',
          `TCP port, 0 is any free one (default: ${DEFAULT_PORT} for an api; a process of other roles listens only if a port is named)`,
        ).argParser(port),
      ),
  )
    .addHelpText('after', UP_HELP)
    .action((options: Parameters<typeof up>[1]) => end(up(context, options)));
}

const UP_HELP = `
Roles:
  api         the HTTP interface, the board at /board, and taking in what is submitted
  dispatcher  grants calls as quota frees, and keeps house; needs no key
  worker      makes the calls; needs the keys

Environment:
  DATABASE_URL, REDIS_URL   servers to use instead of the embedded database; both or neither
  NIGHTSHIFT_API_TOKEN      16 characters or more; everything but /healthz then asks for it (browsers by a login)
  NIGHTSHIFT_BOARD_TEXT=1   the board shows the text of failed lines

Examples:
  $ nightshift up
  $ DATABASE_URL=postgresql://... REDIS_URL=redis://... nightshift up --role worker

/healthz says that it lives, /readyz whether record and queues answer. On a terminal the log goes to nightshift.log in the
data directory, elsewhere to standard output, one JSON object per line.`;

function addBatches(program: Command, context: CliContext, end: End): void {
  withService(
    withPolicy(
      program
        .command('submit')
        .summary('hand a file over to the service, and return')
        .description(
          'Takes a file in as a batch. A service works on it; without one it waits in the record until there is one.',
        )
        .argument('<INPUT.jsonl>', 'as for run; .gz is unpacked, - is standard input'),
    )
      .option('--fresh', 'forget what the record holds of this input')
      .option('--json', 'print the batch as JSON'),
  )
    .addHelpText(
      'after',
      '\nExamples:\n  $ nightshift submit docs.jsonl --task summarize\n  $ nightshift submit batch.jsonl.gz --url http://nightshift.lan:7316 --json | jq .id\n\nThe same input, task, pool and limit again is the same batch, and nothing is added.',
    )
    .action((input: string, options: Parameters<typeof submit>[2]) => end(submit(context, input, options)));
  withService(
    program
      .command('list')
      .summary('the latest batches')
      .description('Lists batches, latest first.')
      .addOption(new Option('--limit <N>', 'how many, at most 1000').default(20).argParser(pageLength))
      .option('--json', 'print them as JSON'),
  )
    .addHelpText('after', '\nExamples:\n  $ nightshift list\n  $ nightshift list --json | jq ".[].name"')
    .action((options: Parameters<typeof list>[1]) => end(list(context, options)));
  batchCommand(program, 'status', 'how a batch and its lanes stand')
    .addHelpText('after', '\nExamples:\n  $ nightshift status docs\n  $ nightshift status 3 --json')
    .action((batch: string, options: Parameters<typeof status>[2]) => end(status(context, batch, options)));
  batchCommand(program, 'watch', 'show a batch until it is over')
    .option('--quiet', 'show no progress, only the end')
    .addHelpText(
      'after',
      `\nExamples:\n  $ nightshift watch docs\n\nCtrl-C stops the watching and nothing else.\n\n${EXIT_CODES_HELP}`,
    )
    .action((batch: string, options: Parameters<typeof watch>[2]) => end(watch(context, batch, options)));
  addResults(program, context, end);
  batchCommand(program, 'cancel', 'cancel a batch: its open lines become error lines')
    .addHelpText(
      'after',
      '\nExamples:\n  $ nightshift cancel docs\n\nCalls under way end and count; every other open line gets an error line `batch_cancelled`. `retry` takes them up again.',
    )
    .action((batch: string, options: Parameters<typeof cancel>[2]) => end(cancel(context, batch, options)));
  addPauses(program, context, end);
  batchCommand(program, 'retry', 'do the failed lines of a batch again')
    .addOption(textOption('--pool <NAME>', 'on this pool, alias, lane or model instead'))
    .addHelpText(
      'after',
      '\nExamples:\n  $ nightshift retry docs\n  $ nightshift retry docs --pool large\n\nFailed lines get all their tries anew; of a cancelled batch the cancelled lines are done, too. What succeeded is not called again.',
    )
    .action((batch: string, options: Parameters<typeof retry>[2]) => end(retry(context, batch, options)));
}

function batchCommand(program: Command, name: string, summary: string): Command {
  return withService(
    program
      .command(name)
      .summary(summary)
      .description(`${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`)
      .argument('<BATCH>', "a batch's name (the latest of that name) or id")
      .option('--json', 'print it as JSON'),
  );
}

function addResults(program: Command, context: CliContext, end: End): void {
  withService(
    program
      .command('results')
      .summary('the final lines of a batch, at any time')
      .description(
        'Prints the successes so far in the order of completion; with --out, writes all final lines into files, in input order.',
      )
      .argument('<BATCH>', "a batch's name (the latest of that name) or id")
      .addOption(textOption('--out <FILE>', 'successes (default: standard output)'))
      .addOption(
        textOption('--errors <FILE>', 'with --out: all other lines (default: OUT with .errors.jsonl)'),
      )
      .addOption(
        new Option('--order <ORDER>', 'default: completion; with --out: input').choices([
          'input',
          'completion',
        ]),
      )
      .addOption(
        new Option('--only <WHICH>', 'default: succeeded; with --out: all').choices([
          'all',
          'succeeded',
          'others',
        ]),
      ),
  )
    .addHelpText(
      'after',
      '\nExamples:\n  $ nightshift results docs | jq -r .custom_id\n  $ nightshift results docs --out docs.out.jsonl\n\nExits with 0 if every line is final and succeeded, with 2 if some are missing, failed or were bad.',
    )
    .action((batch: string, options: Parameters<typeof results>[2]) => end(results(context, batch, options)));
}

function addPauses(program: Command, context: CliContext, end: End): void {
  for (const [name, summary, work] of [
    ['pause', 'grant nothing more to a batch, or on a lane', pause],
    ['resume', 'let a paused batch, or a paused lane, go on', resume],
  ] as const) {
    withService(
      program
        .command(name)
        .summary(summary)
        .description(`${summary.charAt(0).toUpperCase()}${summary.slice(1)}. Calls under way end.`)
        .argument('[BATCH]', "a batch's name (the latest of that name) or id")
        .addOption(
          textOption('--lane <LANE>', 'the lane, for all batches, as `nightshift providers` names it'),
        )
        .option('--json', 'print it as JSON'),
    )
      .addHelpText(
        'after',
        `\nExamples:\n  $ nightshift ${name} docs\n  $ nightshift ${name} --lane groq/gpt-oss-20b`,
      )
      .action((batch: string | undefined, options: Parameters<typeof pause>[2]) =>
        end(work(context, batch, options)),
      );
  }
}

function addLooks(program: Command, context: CliContext, end: End): void {
  withConfig(
    program
      .command('explain')
      .summary('everything that happened to one line, and what it waits for')
      .description('Shows where one line of a batch stands: its attempts, what it waits for, its final line.')
      .argument('<BATCH>', "a batch's name or id")
      .argument('<CUSTOM_ID>', 'the custom_id (or id) of the line')
      .option('--json', 'print it as JSON'),
  )
    .addHelpText(
      'after',
      '\nExamples:\n  $ nightshift explain docs doc-17\n  $ nightshift explain 3 request-9 --json',
    )
    .action((batch: string, customId: string, options: Parameters<typeof explain>[2]) =>
      end(explain(context, { batch, customId }, options)),
    );
  withConfig(
    program
      .command('providers')
      .summary('lanes, limits, use, next reset')
      .description(
        'Shows every lane with its limits, what is left of them, and when they free; then what is off and why.',
      )
      .option('--json', 'print it as JSON'),
  )
    .addHelpText(
      'after',
      '\nExamples:\n  $ nightshift providers\n  $ nightshift providers --json | jq ".lanes[].laneId"',
    )
    .action((options: Parameters<typeof providers>[1]) => end(providers(context, options)));
  withConfig(
    program
      .command('doctor')
      .summary('check configuration, store and keys')
      .description(
        'Checks the configuration, the record, and each key by listing models: a call that costs no quota.',
      )
      .option('--json', 'print it as JSON'),
  )
    .addHelpText(
      'after',
      '\nExamples:\n  $ nightshift doctor\n  $ nightshift doctor --config night.yaml --json\n\nExits with 0 if at least one lane can be used, else with 1.',
    )
    .action((options: Parameters<typeof doctor>[1]) => end(doctor(context, options)));
}

function addPreparations(program: Command, context: CliContext, end: End): void {
  program
    .command('init')
    .summary('write a commented nightshift.yaml')
    .description(
      'Writes nightshift.yaml into this directory: providers whose keys are in the environment are on.',
    )
    .option('--force', 'overwrite the one that is there')
    .option('--stdout', 'print it instead of writing it')
    .addHelpText('after', '\nExamples:\n  $ nightshift init\n  $ GROQ_API_KEY=... nightshift init --stdout')
    .action((options: Parameters<typeof init>[1]) => end(init(context, options)));
  program
    .command('simulate')
    .summary('serve simulated free tiers on this machine')
    .description(
      'Serves providers that enforce limits as the real ones do, until Ctrl-C. Nothing leaves this machine.',
    )
    .addOption(
      new Option('--port <N>', 'TCP port on 127.0.0.1; 0 is any free one').default(0).argParser(port),
    )
    .addOption(
      new Option('--scenario <NAME>', 'which tiers: like six real ones, or those of the demo')
        .choices(['default', 'demo'])
        .default('default'),
    )
    .addOption(new Option('--speed <N>', 'divides windows and latencies').default(1).argParser(factor))
    .addOption(
      textOption(
        '--write-config <FILE>',
        'write a nightshift.yaml for these tiers; replaces only one that simulate wrote',
      ),
    )
    .addOption(new Option('--seed <N>', 'of latencies and chances').default(1).argParser(wholeNumber))
    .addOption(
      new Option(
        '--fault <SPEC>',
        'TIER:KIND[,key=value...], may be repeated; keys: model, after, count, every, from, until (ms), probability, parameter, wait, latency (ms)',
      ).argParser(faultRule),
    )
    .option('--force', 'let --write-config replace any file')
    .option('--quiet', 'no line per second')
    .addHelpText(
      'after',
      '\nExamples:\n  $ nightshift simulate --speed 10 --write-config nightshift.yaml\n  $ nightshift simulate --fault sim-groq:http-500,after=6 --fault "*:slow,every=5,latency=3000"',
    )
    .action((options: Parameters<typeof simulateTiers>[1]) => end(simulateTiers(context, options)));
}

/** What is asked of the lines, and where they may go. */
function withPolicy(command: Command): Command {
  return command
    .addOption(new Option('--task <NAME>', 'what is asked about each document').choices(TASK_NAMES))
    .addOption(
      textOption('--prompt <FILE>', 'the same in your words: UTF-8 text with {{text}} or any {{field}}'),
    )
    .addOption(
      textOption('--field <NAME>', 'the field that holds the document, dots for nested ones (default: text)'),
    )
    .addOption(
      integerOption(
        '--max-output-tokens <N>',
        'tokens an answer may take (default: 320 for summarize, else 1024)',
      ),
    )
    .addOption(
      textOption(
        '--pool <NAME>',
        "pool, alias, lane or model for every line (default: the line's own model, documents: small)",
      ),
    )
    .addOption(textOption('--name <NAME>', 'what the batch is called (default: the name of INPUT)'))
    .addOption(
      integerOption(
        '--limit <N>',
        'only the first N good lines; such a trial is a batch of its own, its lines run again in the whole file (default: all)',
      ),
    );
}

function withService(command: Command): Command {
  return withConfig(command).addOption(
    textOption(
      '--url <URL>',
      'the service to ask (default: NIGHTSHIFT_URL, else one that runs on the data directory, else the record itself)',
    ),
  );
}

function withConfig(command: Command): Command {
  return command
    .addOption(
      textOption(
        '--config <FILE>',
        'configuration (default: NIGHTSHIFT_CONFIG, else nightshift.yaml here, else keys in the environment)',
      ),
    )
    .addOption(
      textOption('--data <DIR>', 'data directory (default: NIGHTSHIFT_DATA, else ~/.local/share/nightshift)'),
    );
}

function textOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser(filled);
}

function integerOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser(positiveInteger);
}
