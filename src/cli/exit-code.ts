/** What the command's exit code says. */

/** The exit codes; scripts rely on them. */
export const EXIT = {
  /** Everything that was asked is done. */
  done: 0,
  /** It could not run, or cannot go on without a person. */
  couldNotRun: 1,
  /** It finished, but some lines failed, were bad, cancelled or expired. */
  someFailed: 2,
  /** It was interrupted; the same command resumes. */
  interrupted: 130,
} as const;

/** One of {@link EXIT}. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The exit codes, as `--help` shows them. */
export const EXIT_CODES_HELP = `Exit codes:
  0    all succeeded
  1    could not run, or cannot go on without you (a key, money); the message says what to do
  2    finished, but some lines failed, were bad, cancelled or expired; the errors file says why
  130  interrupted; the same command again resumes and calls nothing twice`;
