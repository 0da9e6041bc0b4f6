/** Options that several commands have. */
import { type Command, Option } from 'commander';
import { TASK_NAMES } from '../../core/tasks/task.ts';
import type { ExitCode } from '../exit-code.ts';
import { dollars, filled, nameList, positiveInteger, priority } from '../option-values.ts';

/** Told how a command ends. */
export type End = (work: Promise<ExitCode>) => Promise<void>;

/** What is asked of the lines, and where they may go. */
export function withPolicy(command: Command): Command {
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
    .option('--no-training', 'only on providers that are known not to train on prompts, and on local servers')
    .addOption(
      namesOption(
        '--region <CODES>',
        'only where prompts are processed in these regions (EU,CH), and locally',
      ),
    )
    .addOption(
      namesOption('--only <NAMES>', 'only on these providers or lanes (groq,gemini/gemini-3.5-flash-lite)'),
    )
    .addOption(namesOption('--except <NAMES>', 'never on these providers or lanes'))
    .addOption(
      new Option(
        '--max-cost <DOLLARS>',
        'what its calls on paid lanes may cost together, such as 2.50 (default: nothing paid is called)',
      ).argParser(dollars),
    )
    .addOption(textOption('--name <NAME>', 'what the batch is called (default: the name of INPUT)'))
    .addOption(
      integerOption(
        '--limit <N>',
        'only the first N good lines; such a trial is a batch of its own, its lines run again in the whole file (default: all)',
      ),
    );
}

/** When the batch may run, before whom, and until when. */
export function withTerms(command: Command): Command {
  return command
    .addOption(
      textOption(
        '--between <HOURS>',
        'calls begin only then: 22:00-07:00; always lifts it (default: at any time)',
      ),
    )
    .addOption(
      new Option('--priority <N>', 'before batches with less: -100 to 100 (default: 0)').argParser(priority),
    )
    .addOption(
      textOption(
        '--deadline <WHEN>',
        'what is not under way then expires: 07:00, 2026-11-21T07:00, 8h; none lifts it (default: none)',
      ),
    )
    .addOption(
      textOption('--time-zone <ZONE>', "of those times, such as Europe/Berlin (default: this machine's)"),
    );
}

/** What the options on time promise. */
export const TERMS_HELP = `
When it runs (--between, --priority, --deadline):
  Outside its hours nothing of the batch begins; calls under way end. A run stays, and says until when it waits. Batches of
  higher priority go first and the others get what these cannot use; equal ones share by what they have been granted.
  At the deadline every line that is not under way becomes an error line \`batch_expired\`; \`retry\` takes them up again.
  Where time is too short for all of them, as many as can be done come first, whichever those are.
  The same command with other terms is the same batch, which goes by them from then on; what is not said stays as it is.
  The same --deadline again means the instant that it meant first: run again tomorrow, 07:00 is still this morning's.
`;

/** What the options on privacy promise. */
export const PRIVACY_HELP = `
Where prompts go (--no-training, --region, --only, --except):
  A lane that does not qualify never gets a line of the batch, whatever fails; what is unknown of a provider does not
  qualify. Lines that no lane is left for go to the errors file. Before the first batch to a provider that may train on or
  keep free prompts you are told so, once.
`;

/** What `--max-cost` promises. */
export const MONEY_HELP = `
Money (--max-cost):
  Paid lanes (\`tier: paid\` with a \`price\`) get what free lanes cannot finish in time, after all others and on any pool,
  and the last try of a line that failed on free ones. If the budget is too small for all of that, the cheapest lines go first.
  Before each call the most that it may cost is set aside, by the bytes that are sent and the longest answer it may get, and
  only if the budget covers it. Bytes do not bound images, files, whatever else is fetched or decoded, and members that are
  not known: with them the model's whole context is set aside. It asks for text at the standard rate: other rates and models,
  searches, speech, predictions and tools that run at the provider are left out.
  The same command with another budget goes on with that one; what is not said stays as it is.
`;

/** Which service a command asks, and which configuration it reads. */
export function withService(command: Command): Command {
  return withConfig(command).addOption(
    textOption(
      '--url <URL>',
      'the service to ask (default: NIGHTSHIFT_URL, else one that runs on the data directory, else the record itself)',
    ),
  );
}

/** Which configuration and which data directory. */
export function withConfig(command: Command): Command {
  return command
    .addOption(
      textOption(
        '--config <FILE>',
        'configuration (default: NIGHTSHIFT_CONFIG, else nightshift.yaml here, else keys in the environment)',
      ),
    )
    .addOption(
      textOption(
        '--data <DIR>',
        'data directory, with the embedded database even where DATABASE_URL is set (default: NIGHTSHIFT_DATA, else ~/.local/share/nightshift)',
      ),
    );
}

/** An option whose value is a text with something in it. */
export function textOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser(filled);
}

/** An option whose value is names with commas between them. */
function namesOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser(nameList);
}

/** An option whose value is a whole number from 1. */
function integerOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser(positiveInteger);
}
