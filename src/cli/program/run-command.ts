/** `run` on the command line. */
import type { Command } from 'commander';
import type { run } from '../commands/run.ts';
import type { CliContext } from '../context.ts';
import { EXIT_CODES_HELP } from '../exit-code.ts';
import {
  type End,
  MONEY_HELP,
  PRIVACY_HELP,
  TERMS_HELP,
  textOption,
  withPolicy,
  withService,
  withTerms,
} from './options.ts';

const RUN_HELP = `
Examples:
  $ nightshift run docs.jsonl --task summarize
      one summary per document, into docs.out.jsonl; lines that failed into docs.out.errors.jsonl
  $ nightshift run tickets.jsonl.gz --prompt classify.txt --field body --limit 20
      a trial on the first 20 lines: {{text}} in classify.txt is each line's "body"
  $ nightshift run letters.jsonl --task summarize --no-training --region EU,CH
      only on lanes that do not train on prompts and process them there
  $ nightshift run docs.jsonl --task summarize --between 22:00-07:00 --deadline 07:00
      tonight only; what is not done by the morning is in the errors file
  $ cat batch.jsonl | nightshift run - --name tonight --out results.jsonl --json | jq .lines

Ctrl-C waits for the calls under way (a second one aborts them). The same command again resumes and calls nothing twice.
${PRIVACY_HELP}${TERMS_HELP}${MONEY_HELP}
${EXIT_CODES_HELP}`;

/** Adds it. */
export function addRun(program: Command, context: CliContext, end: End): void {
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
  withService(withTerms(withPolicy(command)))
    .addHelpText('after', RUN_HELP)
    .action((input: string, options: Parameters<typeof run>[2]) =>
      end(import('../commands/run.ts').then((module) => module.run(context, input, options))),
    );
}
