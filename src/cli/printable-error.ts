/** What a person is told when something went wrong. */
import { BatchRefused } from '../app/batches.ts';
import { ConfigError } from '../config/problems.ts';
import { CannotRun } from './run-request.ts';

/** Something nobody foresaw went wrong while the record was open; the log has the whole story. */
export class UnexpectedFault extends Error {
  override readonly name = 'UnexpectedFault';
  readonly logFile: string;

  constructor(cause: unknown, logFile: string) {
    super(messageOf(cause), { cause });
    this.logFile = logFile;
  }
}

/**
 * The line for an error. One that was expected is its message, which ends with the way out; anything else is called
 * unexpected and names the log where there is one.
 */
export function printableError(error: unknown): string {
  const message = messageOf(error);
  if (isExpected(error)) return `nightshift: ${message}`;
  const more =
    error instanceof UnexpectedFault
      ? `The log is ${error.logFile}.`
      : 'NIGHTSHIFT_DEBUG=1 shows where it comes from.';
  return `nightshift: something unexpected went wrong: ${message}\n${more}`;
}

/** Whether an error says what was wrong and what to do: our own wording, or the operating system's. */
export function isExpected(error: unknown): boolean {
  if (error instanceof ConfigError || error instanceof CannotRun || error instanceof BatchRefused)
    return true;
  if (!(error instanceof Error) || error.name !== 'Error') return false;
  return error.message.startsWith('Expected ') || 'syscall' in error;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}
