/** What is wrong with a configuration: problems with path and line, and the one error that carries them all. */

/** Keys and list positions from the top of the file to the place of a problem. */
export type DocumentPath = readonly (string | number)[];

/** Something wrong at a place in the file. */
export interface PathProblem {
  readonly path: DocumentPath;
  readonly message: string;
}

/** A problem as it is shown: `file:line: path: message`. */
export interface Problem {
  /** The file's name as the user knows it; empty where no file is to blame. */
  readonly file: string;
  /** From 1; `null` where no line is to blame. */
  readonly line: number | null;
  /** Such as `providers.groq.limits[0].per`; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
}

/** The configuration cannot be used. Its message lists every problem, one per line, and is printable as it is. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[], options?: ErrorOptions) {
    super(problems.map(formatProblem).join('\n'), options);
    this.problems = problems;
  }
}

/** A `ConfigError` about the configuration as a whole rather than a place in it. */
export function configError(message: string, options?: ErrorOptions): ConfigError {
  return new ConfigError([{ file: '', line: null, path: '', message }], options);
}

/** `a.b[0]["odd key"]`: how a path is shown. */
export function formatPath(path: DocumentPath): string {
  return path.map((step, index) => formatStep(step, index === 0)).join('');
}

function formatStep(step: string | number, isFirst: boolean): string {
  if (typeof step === 'number') return `[${step}]`;
  if (!/^[\w-]+$/.test(step)) return `[${JSON.stringify(step)}]`;
  return isFirst ? step : `.${step}`;
}

function formatProblem({ file, line, path, message }: Problem): string {
  const place = line === null ? file : `${file}:${line}`;
  return [place, path, message].filter((part) => part !== '').join(': ');
}
