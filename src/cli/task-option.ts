/** `--task`, `--prompt` and their companions: what is asked about each document. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { taskOf, type TaskSpec } from '../core/tasks/task-spec.ts';
import { TASK_NAMES, type TaskOptions } from '../core/tasks/task.ts';
import { CannotRun } from './run-request.ts';

/** What was typed. */
export interface TaskFlags {
  readonly task?: string | undefined;
  readonly prompt?: string | undefined;
  readonly field?: string | undefined;
  readonly maxOutputTokens?: number | undefined;
}

/**
 * The task, or `null` where every line is an OpenAI batch line of its own.
 *
 * Rejects with CannotRun for two tasks, an unknown one, a prompt that cannot be read or filled, and companions
 * without a task.
 */
export async function readTask(flags: TaskFlags, workingDirectory: string): Promise<TaskSpec | null> {
  const { task, prompt } = flags;
  if (task !== undefined && prompt !== undefined) {
    throw new CannotRun('Expected --task or --prompt, got both. Leave one of them out.');
  }
  if (task !== undefined) return namedTask(task, optionsOf(flags));
  if (prompt !== undefined) return await taskOfFile(resolve(workingDirectory, prompt), optionsOf(flags));
  for (const [flag, value] of [
    ['--field', flags.field],
    ['--max-output-tokens', flags.maxOutputTokens],
  ] as const) {
    if (value === undefined) continue;
    throw new CannotRun(
      `Expected ${flag} beside --task or --prompt, got it alone: without a task every line is a whole request of its own. Add --task summarize or --prompt FILE.`,
    );
  }
  return null;
}

function optionsOf({ field, maxOutputTokens }: TaskFlags): TaskOptions {
  return {
    ...(field === undefined ? {} : { textField: field }),
    ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
  };
}

function namedTask(name: string, options: TaskOptions): TaskSpec {
  const spec = { ...options, name };
  if (taskOf(spec).kind === 'task') return spec;
  throw new CannotRun(
    `Expected --task to be one of ${TASK_NAMES.join(', ')}, got ${JSON.stringify(name)}. Your own instructions go into a file: --prompt FILE.`,
  );
}

async function taskOfFile(path: string, options: TaskOptions): Promise<TaskSpec> {
  const spec = { ...options, prompt: await readPrompt(path) };
  const task = taskOf(spec);
  if (task.kind === 'invalid') throw new CannotRun(`${path}: ${task.message}`);
  return spec;
}

async function readPrompt(path: string): Promise<string> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'an unknown fault';
    const found = code === 'ENOENT' ? 'none there' : code;
    throw new CannotRun(`Expected --prompt to name a text file that can be read, got ${found} at ${path}.`, {
      cause,
    });
  });
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new CannotRun(`Expected ${path} to be UTF-8 text, got other bytes. Save it as UTF-8.`, { cause });
  }
}
