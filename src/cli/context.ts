/** What a command gets from the process, passed in so that tests can give their own. */
import type { Environment } from '../config/key-variables.ts';

/** Where text is written; `process.stdout` and `process.stderr` are such. */
export interface Screen {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
  hasColors?(): boolean;
}

/** The surroundings of a command. */
export interface CliContext {
  readonly environment: Environment;
  /** Absolute paths. */
  readonly workingDirectory: string;
  readonly homeDirectory: string;
  /** Results, so that they can be piped. */
  readonly stdout: Screen;
  /** Progress, warnings and errors. */
  readonly stderr: Screen;
  /** The arguments as they were typed, without the program. */
  readonly arguments: readonly string[];
}

/** Whether colours are welcome: on a terminal that has them, unless `NO_COLOR` says no. */
export function wantsColour(screen: Screen): boolean {
  return screen.isTTY === true && screen.hasColors?.() === true;
}

/** Writes whole lines. */
export function printLines(screen: Screen, lines: readonly string[]): void {
  if (lines.length > 0) screen.write(`${lines.join('\n')}\n`);
}

/** Writes a value as JSON, for people and for programs. */
export function printJson(screen: Screen, value: unknown): void {
  screen.write(`${JSON.stringify(value, null, 2)}\n`);
}
