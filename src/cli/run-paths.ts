/** The files of a run: what they are called unless said, and whether they can be used, before anything starts. */
import { constants } from 'node:fs';
import { access, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { CannotRun } from './run-request.ts';

/** What was typed. */
export interface PathOptions {
  readonly input: string;
  readonly out?: string | undefined;
  readonly errors?: string | undefined;
  readonly name?: string | undefined;
}

/** What it means; the paths are absolute, `input` may be `-`. */
export interface RunPaths {
  readonly input: string;
  readonly output: string;
  readonly errors: string;
  readonly name: string;
}

/** An input with the name its batch has; its path is absolute, or `-`. @throws CannotRun if standard input comes without a name. */
export function inputName(
  input: string,
  name: string | undefined,
  workingDirectory: string,
): { readonly input: string; readonly name: string } {
  if (input !== STANDARD_INPUT) {
    const path = resolve(workingDirectory, input);
    return { input: path, name: name ?? basename(path).replace(JSON_LINES, '') };
  }
  if (name !== undefined) return { input, name };
  throw new CannotRun(
    'Expected --name NAME beside `-`: standard input has no name of its own to call the batch by.',
  );
}

/** Rejects with CannotRun unless the input is standard input or a file that can be read. */
export async function checkReadable(input: string): Promise<void> {
  if (input !== STANDARD_INPUT) await readableFile(input);
}

/** `-` on the command line. */
const STANDARD_INPUT = '-';
const JSON_LINES = /\.jsonl(?:\.gz)?$|\.gz$/u;

/**
 * The paths of a run.
 *
 * @throws CannotRun if standard input comes without `--name` or `--out`, or two files would be one by name.
 */
export function runPaths({ input, out, errors, name }: PathOptions, workingDirectory: string): RunPaths {
  if (input === STANDARD_INPUT) return standardInputPaths({ out, errors, name }, workingDirectory);
  const inputPath = resolve(workingDirectory, input);
  const output = resolve(workingDirectory, out ?? `${inputPath.replace(JSON_LINES, '')}.out.jsonl`);
  const paths = {
    input: inputPath,
    output,
    errors: errorsPath(output, errors, workingDirectory),
    name: inputName(input, name, workingDirectory).name,
  };
  return refuseSamePath(paths);
}

function standardInputPaths(
  { out, errors, name }: Omit<PathOptions, 'input'>,
  workingDirectory: string,
): RunPaths {
  if (name === undefined || out === undefined) {
    const missing = [
      ...(name === undefined ? ['--name NAME'] : []),
      ...(out === undefined ? ['--out OUT.jsonl'] : []),
    ];
    throw new CannotRun(
      `Expected ${missing.join(' and ')} beside \`-\`: standard input has no name of its own to call the batch and its output by.`,
    );
  }
  const output = resolve(workingDirectory, out);
  return refuseSamePath({
    input: STANDARD_INPUT,
    output,
    errors: errorsPath(output, errors, workingDirectory),
    name,
  });
}

/** Where the other lines go: beside OUT unless said. */
export function errorsPath(output: string, errors: string | undefined, workingDirectory: string): string {
  return resolve(workingDirectory, errors ?? `${output.replace(/\.jsonl$/u, '')}.errors.jsonl`);
}

function refuseSamePath(paths: RunPaths): RunPaths {
  const { input, output, errors } = paths;
  if (input === output) throw sameFile('--out', output, 'the input');
  if (input === errors) throw sameFile('--errors', errors, 'the input');
  refuseOneForBoth(output, errors);
  return paths;
}

/** @throws CannotRun if the successes and the other lines would go to the same file. */
export function refuseOneForBoth(output: string, errors: string): void {
  if (output === errors) throw sameFile('--errors', errors, '--out');
}

function sameFile(option: string, path: string, other: string): CannotRun {
  return new CannotRun(
    `Expected ${option} to be another file than ${other}, got ${path} for both. Choose another path.`,
  );
}

/**
 * Rejects with CannotRun unless the input is a file that can be read, the outputs can be written, and no two are the
 * same file under different names.
 */
export async function checkPaths({ input, output, errors }: RunPaths): Promise<void> {
  const inputFile = input === STANDARD_INPUT ? null : await readableFile(input);
  for (const [option, path] of [
    ['--out', output],
    ['--errors', errors],
  ] as const) {
    const found = await statOf(path);
    if (found?.isDirectory() === true) {
      throw new CannotRun(`Expected ${option} to be a file, got the directory ${path}. Name a file in it.`);
    }
    if (found !== null && inputFile !== null && found.dev === inputFile.dev && found.ino === inputFile.ino) {
      throw sameFile(option, path, 'the input');
    }
    await requireWritable(option, path);
  }
}

async function readableFile(path: string) {
  const found = await statOf(path);
  if (found === null) {
    throw new CannotRun(
      `Expected ${path} to be a JSONL file, found none there. Check the path; \`-\` reads standard input.`,
    );
  }
  if (found.isDirectory()) {
    throw new CannotRun(`Expected ${path} to be a JSONL file, got a directory. Name one file in it.`);
  }
  try {
    await access(path, constants.R_OK);
  } catch (cause) {
    throw new CannotRun(
      `Expected ${path} to be readable for this user, got a refusal. Give it the right to.`,
      {
        cause,
      },
    );
  }
  return found;
}

/**
 * Folders that are missing are made later; the nearest one that exists must let that happen. Only writing tells: the
 * superuser is granted everything, but not on file systems that are read-only or no real ones.
 */
async function requireWritable(option: string, path: string): Promise<void> {
  let folder = dirname(path);
  let found = await statOf(folder);
  while (found === null && dirname(folder) !== folder) {
    folder = dirname(folder);
    found = await statOf(folder);
  }
  if (found?.isDirectory() === false) {
    throw new CannotRun(
      `Expected the folder of ${option} to be a directory, got the file ${folder}. Choose another path.`,
    );
  }
  try {
    const trial = join(folder, `.nightshift-${process.pid}.tmp`);
    await writeFile(trial, '', { flag: 'wx' });
    await rm(trial, { force: true });
  } catch (cause) {
    throw new CannotRun(
      `Expected the folder of ${option} to be writable, but ${folder} is not. Choose another ${option}, or give this user the right to write there.`,
      { cause },
    );
  }
}

async function statOf(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : '';
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw error;
  }
}
