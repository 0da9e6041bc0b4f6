/** Commands that look, and commands that prepare. */
import { type Command, Option } from 'commander';
import type { doctor } from '../commands/doctor.ts';
import type { explain } from '../commands/explain.ts';
import type { init } from '../commands/init.ts';
import type { providers } from '../commands/providers.ts';
import type { simulateTiers } from '../commands/simulate.ts';
import type { CliContext } from '../context.ts';
import { faultRule } from '../fault-option.ts';
import { factor, port, wholeNumber } from '../option-values.ts';
import { type End, textOption, withConfig } from './options.ts';

/** Adds `explain`, `providers` and `doctor`. */
export function addLooks(program: Command, context: CliContext, end: End): void {
  withConfig(
    program
      .command('explain')
      .summary('everything that happened to one line, and what it waits for')
      .description('Shows where one line of a batch stands: its attempts, what it waits for, its final line.')
      .argument('<BATCH>', "a batch's name or id; id:7 is always an id")
      .argument('<CUSTOM_ID>', 'the custom_id (or id) of the line')
      .option('--json', 'print it as JSON'),
  )
    .addHelpText(
      'after',
      '\nExamples:\n  $ nightshift explain docs doc-17\n  $ nightshift explain 3 request-9 --json',
    )
    .action((batch: string, customId: string, options: Parameters<typeof explain>[2]) =>
      end(
        import('../commands/explain.ts').then((module) =>
          module.explain(context, { batch, customId }, options),
        ),
      ),
    );
  withConfig(
    program
      .command('providers')
      .summary('lanes, limits, use, next reset')
      .description(
        'Shows every lane with its limits as meters, when they free, which of them refusals have lowered and what to declare instead; then what is off and why.',
      )
      .option('--json', 'print it as JSON'),
  )
    .addHelpText(
      'after',
      '\nExamples:\n  $ nightshift providers\n  $ nightshift providers --json | jq ".lanes[].laneId"',
    )
    .action((options: Parameters<typeof providers>[1]) =>
      end(import('../commands/providers.ts').then((module) => module.providers(context, options))),
    );
  withConfig(
    program
      .command('doctor')
      .summary('check configuration, store and keys')
      .description(
        'Checks the configuration, the record, the clock, and each key and its models, by at most one call to each provider. None costs quota as far as is known; providers of whom every call may count are left out.',
      )
      .option('--all', 'also ask those of whom a call may count against the quota')
      .option('--json', 'print it as JSON'),
  )
    .addHelpText(
      'after',
      '\nExamples:\n  $ nightshift doctor\n  $ nightshift doctor --config night.yaml --json\n\nExits with 0 if at least one lane can be used, else with 1.',
    )
    .action((options: Parameters<typeof doctor>[1]) =>
      end(import('../commands/doctor.ts').then((module) => module.doctor(context, options))),
    );
}

/** Adds `init` and `simulate`. */
export function addPreparations(program: Command, context: CliContext, end: End): void {
  program
    .command('init')
    .summary('write a commented nightshift.yaml')
    .description(
      'Writes nightshift.yaml into this directory: providers whose keys are in the environment are on.',
    )
    .option('--force', 'overwrite the one that is there')
    .option('--stdout', 'print it instead of writing it')
    .addHelpText('after', '\nExamples:\n  $ nightshift init\n  $ GROQ_API_KEY=... nightshift init --stdout')
    .action((options: Parameters<typeof init>[1]) =>
      end(import('../commands/init.ts').then((module) => module.init(context, options))),
    );
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
    .action((options: Parameters<typeof simulateTiers>[1]) =>
      end(import('../commands/simulate.ts').then((module) => module.simulateTiers(context, options))),
    );
}
