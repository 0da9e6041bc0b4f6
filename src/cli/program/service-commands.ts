/** The service and its batches on the command line. */
import { type Command, Option } from 'commander';
import { DEFAULT_PORT } from '../../adapters/http/addresses.ts';
import type { cancel, list, pause, retry, status } from '../commands/batches.ts';
import type { results } from '../commands/results.ts';
import type { submit } from '../commands/submit.ts';
import type { up } from '../commands/up.ts';
import type { watch } from '../commands/watch.ts';
import type { CliContext } from '../context.ts';
import { EXIT_CODES_HELP } from '../exit-code.ts';
import { pageLength, port, roles } from '../option-values.ts';
import {
  type End,
  MONEY_HELP,
  PRIVACY_HELP,
  TERMS_HELP,
  textOption,
  withConfig,
  withPolicy,
  withService,
  withTerms,
} from './options.ts';

/** Adds `up`. */
export function addService(program: Command, context: CliContext, end: End): void {
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
    .action((options: Parameters<typeof up>[1]) =>
      end(import('../commands/up.ts').then((module) => module.up(context, options))),
    );
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

/** Adds what can be done with batches. */
export function addBatches(program: Command, context: CliContext, end: End): void {
  withService(
    withTerms(
      withPolicy(
        program
          .command('submit')
          .summary('hand a file over to the service, and return')
          .description(
            'Takes a file in as a batch. A service works on it; without one it waits in the record until there is one.',
          )
          .argument('<INPUT.jsonl>', 'as for run; .gz is unpacked, - is standard input'),
      ),
    )
      .option('--fresh', 'forget what the record holds of this input')
      .option('--json', 'print the batch as JSON'),
  )
    .addHelpText(
      'after',
      `\nExamples:\n  $ nightshift submit docs.jsonl --task summarize\n  $ nightshift submit letters.jsonl --task summarize --no-training --except openrouter\n  $ nightshift submit urgent.jsonl --task summarize --priority 10 --deadline 8h\n  $ nightshift submit batch.jsonl.gz --url http://nightshift.lan:7316 --json | jq .id\n\nThe same input, task, pool, limit and privacy again is the same batch, and nothing is added.\n${PRIVACY_HELP}${TERMS_HELP}${MONEY_HELP}`,
    )
    .action((input: string, options: Parameters<typeof submit>[2]) =>
      end(import('../commands/submit.ts').then((module) => module.submit(context, input, options))),
    );
  withService(
    program
      .command('list')
      .summary('the latest batches')
      .description('Lists batches, latest first.')
      .addOption(new Option('--limit <N>', 'how many, at most 1000').default(20).argParser(pageLength))
      .option('--json', 'print them as JSON'),
  )
    .addHelpText('after', '\nExamples:\n  $ nightshift list\n  $ nightshift list --json | jq ".[].name"')
    .action((options: Parameters<typeof list>[1]) =>
      end(import('../commands/batches.ts').then((module) => module.list(context, options))),
    );
  batchCommand(program, 'status', 'how a batch and its lanes stand')
    .addHelpText('after', '\nExamples:\n  $ nightshift status docs\n  $ nightshift status 3 --json')
    .action((batch: string, options: Parameters<typeof status>[2]) =>
      end(import('../commands/batches.ts').then((module) => module.status(context, batch, options))),
    );
  batchCommand(program, 'watch', 'show a batch until it is over')
    .option('--quiet', 'show no progress, only the end')
    .addHelpText(
      'after',
      `\nExamples:\n  $ nightshift watch docs\n\nCtrl-C stops the watching and nothing else.\n\n${EXIT_CODES_HELP}`,
    )
    .action((batch: string, options: Parameters<typeof watch>[2]) =>
      end(import('../commands/watch.ts').then((module) => module.watch(context, batch, options))),
    );
  addResults(program, context, end);
  batchCommand(program, 'cancel', 'cancel a batch: its open lines become error lines')
    .addHelpText(
      'after',
      '\nExamples:\n  $ nightshift cancel docs\n\nCalls under way end and count; every other open line gets an error line `batch_cancelled`. `retry` takes them up again.',
    )
    .action((batch: string, options: Parameters<typeof cancel>[2]) =>
      end(import('../commands/batches.ts').then((module) => module.cancel(context, batch, options))),
    );
  addPauses(program, context, end);
  batchCommand(program, 'retry', 'do the failed lines of a batch again')
    .addOption(textOption('--pool <NAME>', 'on this pool, alias, lane or model instead'))
    .addHelpText(
      'after',
      '\nExamples:\n  $ nightshift retry docs\n  $ nightshift retry docs --pool large\n\nFailed lines get all their tries anew; of a cancelled or expired batch the lines that this ended are done, too; a deadline that has passed is lifted. What succeeded is not called again. What the batch says about privacy holds on any pool.',
    )
    .action((batch: string, options: Parameters<typeof retry>[2]) =>
      end(import('../commands/batches.ts').then((module) => module.retry(context, batch, options))),
    );
}

function batchCommand(program: Command, name: string, summary: string): Command {
  return withService(
    program
      .command(name)
      .summary(summary)
      .description(`${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`)
      .argument('<BATCH>', "a batch's name (the latest of that name) or id; id:7 is always an id")
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
      .argument('<BATCH>', "a batch's name (the latest of that name) or id; id:7 is always an id")
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
    .action((batch: string, options: Parameters<typeof results>[2]) =>
      end(import('../commands/results.ts').then((module) => module.results(context, batch, options))),
    );
}

function addPauses(program: Command, context: CliContext, end: End): void {
  for (const [name, summary] of [
    ['pause', 'grant nothing more to a batch, or on a lane'],
    ['resume', 'let a paused batch, or a paused lane, go on'],
  ] as const) {
    withService(
      program
        .command(name)
        .summary(summary)
        .description(`${summary.charAt(0).toUpperCase()}${summary.slice(1)}. Calls under way end.`)
        .argument('[BATCH]', "a batch's name (the latest of that name) or id; id:7 is always an id")
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
        end(import('../commands/batches.ts').then((module) => module[name](context, batch, options))),
      );
  }
}
