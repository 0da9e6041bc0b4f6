/** The command line: its names and the help that teaches them. What the commands do is in commands/, loaded when it is done. */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import type { CliContext } from './context.ts';
import { EXIT_CODES_HELP, type ExitCode } from './exit-code.ts';
import type { End } from './program/options.ts';
import { addLooks, addPreparations } from './program/other-commands.ts';
import { addPlan } from './program/plan-command.ts';
import { addRun } from './program/run-command.ts';
import { addBatches, addService } from './program/service-commands.ts';

const TOP_HELP = `
First steps:
  $ npx nightshift init                                      write a commented nightshift.yaml
  $ npx nightshift doctor                                    check keys, without spending quota
  $ npx nightshift plan docs.jsonl --task summarize          when it would be done; sends nothing
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
  const end: End = (work) => work.then(setExitCode);
  addRun(program, context, end);
  addPlan(program, context, end);
  addService(program, context, end);
  addBatches(program, context, end);
  addLooks(program, context, end);
  addPreparations(program, context, end);
  return program;
}

function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  const isRecord = typeof manifest === 'object' && manifest !== null && 'version' in manifest;
  return isRecord ? String(manifest.version) : 'unknown';
}
