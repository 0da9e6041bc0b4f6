/** One command line as the whole work of a process: joins the program to the process, and says how it ended. */
import { homedir } from 'node:os';
import { CommanderError } from 'commander';
import type { CliContext } from './context.ts';
import { EXIT } from './exit-code.ts';
import { keepMemoryLean } from './lean-memory.ts';
import { printableError } from './printable-error.ts';
import { createProgram } from './program.ts';

/** After this long something still holds the process that has nothing left to do; sooner where it could not run. */
const LAST_WORD_MS = 3_000;
const LAST_WORD_ON_ERROR_MS = 300;

/**
 * Runs `nightshift` with these arguments, sets the exit code, and lets the process end soon after. Never rejects. To be
 * called once in a process: streams, warnings and memory become Nightshift's.
 */
export async function runProcess(args: readonly string[]): Promise<void> {
  // A reader that went away, or a terminal that was closed, is no reason to stop the night.
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});
  // Node's own warnings are for whoever mends Nightshift; they would land on the display.
  if (process.env['NIGHTSHIFT_DEBUG'] !== '1') process.removeAllListeners('warning');
  keepMemoryLean();
  process.exitCode = await run({
    environment: process.env,
    workingDirectory: process.cwd(),
    homeDirectory: homedir(),
    stdout: process.stdout,
    stderr: process.stderr,
    arguments: args,
  });
  setTimeout(
    () => process.exit(),
    process.exitCode === EXIT.couldNotRun ? LAST_WORD_ON_ERROR_MS : LAST_WORD_MS,
  ).unref();
}

async function run(context: CliContext): Promise<number> {
  let exitCode: number = EXIT.done;
  const program = createProgram(context, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(context.arguments, { from: 'user' });
    return exitCode;
  } catch (error) {
    // Commander has already said what was wrong; its help and version end this way, too.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.couldNotRun;
    context.stderr.write(`${printableError(error)}\n`);
    if (context.environment['NIGHTSHIFT_DEBUG'] === '1' && error instanceof Error) {
      context.stderr.write(`${error.stack ?? ''}\n`);
    }
    return EXIT.couldNotRun;
  }
}
