/**
 * What went wrong and the way out, for the faults a person can cure: permissions, full disks, odd paths.
 * Everything else keeps its own message.
 */

const remedies: Readonly<Record<string, string>> = {
  EACCES: 'this user may not write there. Give it the right to, or choose another folder with --data.',
  EPERM: 'this user may not write there. Give it the right to, or choose another folder with --data.',
  EROFS: 'the file system is read-only. Choose another folder with --data.',
  ENOSPC: 'the disk is full. Free some space, or choose another folder with --data.',
  EDQUOT: 'the disk quota is used up. Free some space, or choose another folder with --data.',
  ENOENT: 'the file system cannot make a folder there. Choose another one with --data.',
  ENOTDIR: 'a part of that path is a file. Choose another folder with --data.',
  EEXIST: 'there is a file of that name. Choose another folder with --data.',
  ELOOP: 'its symbolic links form a loop. Choose another folder with --data.',
  ENAMETOOLONG: 'the path is too long for the file system. Choose another folder with --data.',
};

/** The `code` of a Node or PostgreSQL error, or `undefined` where the value has none. */
export const errorCode = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;

/** The message of anything that was thrown. */
export const errorMessage = (error: unknown): string =>
  error instanceof Error ? error.message || error.name : String(error);

/** An error that says what `path` was expected to be and, for a known cause, the way out; `cause` is kept. */
export const explainPathError = (path: string, expectation: string, cause: unknown): Error => {
  const remedy = remedies[errorCode(cause) ?? ''] ?? errorMessage(cause);
  return new Error(`Expected \`${path}\` to be ${expectation}, but ${remedy}`, { cause });
};

/** PostgreSQL's own words turned into an error: a full disk is named as such, anything else is quoted. */
export const explainServerOutput = (what: string, output: string, logFile?: string): Error => {
  const seeLog = logFile === undefined ? '' : ` The whole log is in ${logFile}.`;
  if (/No space left on device|Disk quota exceeded|Check free disk space/.test(output)) {
    return new Error(
      `Expected ${what} to succeed, but the disk is full. Free some space and run it again.${seeLog}`,
    );
  }
  const tail = output.trim().split('\n').slice(-6).join('\n');
  return new Error(`Expected ${what} to succeed, got: ${tail || 'no output'}${seeLog}`);
};
