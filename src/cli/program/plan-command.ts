/** `plan` on the command line. */
import type { Command } from 'commander';
import type { plan } from '../commands/plan.ts';
import type { CliContext } from '../context.ts';
import { type End, withConfig, withPolicy, withTerms } from './options.ts';

const PLAN_HELP = `
Examples:
  $ nightshift plan docs.jsonl --task summarize
      when it would be done, how much of it each lane takes and what binds that, and which free key would help most
  $ nightshift plan docs.jsonl --task summarize --deadline 07:00
      how many lines would be left at seven, and what would leave fewer
  $ nightshift plan batch.jsonl --json | jq '.finish, .additions[0]'

What it goes by:
  Lines are read, checked and measured as run does it. What is used of each limit today counts, and so do the lines of
  batches in progress. Until its own answers have shown how long they are, each is taken to be as long as those of your
  last batches to prompts of its size, and if there are none, for a third of what it may be; the range is from short
  answers with nothing going wrong to long ones with a tenth more time. A file that is a batch in progress already is
  planned from where it stands. Without any key it shows what the free tiers of the catalog would do.
  With --deadline it also says how many lines would be left then, and what would leave fewer. Of --between, what does not
  fit into one night is done in the next. Paid lanes are left out; with --max-cost it says how many lines are for them alone.

--json has, with every instant in ms since 1970:
  input, atMs, basis, batch, terms         what this is about, as of when; basis is "catalog" where no provider is on
  lines, bad, tooLarge, unplannableLines   what would run, and what not and why
  paidOnlyLines                            of lines, those that only paid lanes can take and --max-cost pays for
  promptTokens, answerTokens, sizes        of all lines to run; sizes of prompts by doublings
  answersToldBy                            the batch's "own" answers so far, those of "others", or the "bounds" alone
  linesOfOthers                            of batches in progress, which run from the same quota meanwhile
  finish        {kind: "at", atMs, earliestMs, latestMs}, or {kind: "never", lines}
  lanes         laneId, lines, share, promptTokens, answerTokens, boundBy, binding, firstWait, state
  additions     providers that would help, best first: finishAtMs, linesLeft, lines, apiKeyEnv, howToAdd
  deadline      atMs, linesLeft, openMs (of the batch's hours before it), options; null without --deadline

Exit codes:
  0    here is the forecast
  1    no line of the file can run, or something is wrong with an option; the message says what to do`;

/** Adds it. */
export function addPlan(program: Command, context: CliContext, end: End): void {
  const command = program
    .command('plan')
    .summary('when a file would be done, and what would help; sends nothing')
    .description(
      'Forecasts a run of INPUT on the lanes that are on, as they stand now. Sends nothing and stores nothing.',
    )
    .argument('<INPUT.jsonl>', 'as for run; .gz is unpacked, - is standard input')
    .option('--json', 'print it as JSON');
  withConfig(withTerms(withPolicy(command)))
    .addHelpText('after', PLAN_HELP)
    .action((input: string, options: Parameters<typeof plan>[2]) =>
      end(import('../commands/plan.ts').then((module) => module.plan(context, input, options))),
    );
}
