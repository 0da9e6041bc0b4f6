/** A task as it is asked for: in flags, in a query string, by a script. */
import { promptTask, summarizeTask, type Task, TASK_NAMES, type TaskOptions } from './task.ts';

/** Either a named task or a prompt of one's own, with its options. */
export interface TaskSpec extends TaskOptions {
  /** One of {@link TASK_NAMES}. */
  readonly name?: string;
  /** The text of a prompt: `{{text}}`, or any `{{field}}`. */
  readonly prompt?: string;
}

/** The task, or why there is none: a sentence that names `name` or `prompt`. */
export function taskOf({
  name,
  prompt,
  ...options
}: TaskSpec): Task | { readonly kind: 'invalid'; readonly message: string } {
  if (name !== undefined && prompt !== undefined) {
    return { kind: 'invalid', message: 'Expected a task or a prompt, got both. Leave one of them out.' };
  }
  if (prompt?.includes('\0') === true)
    return {
      kind: 'invalid',
      message: 'Expected the prompt to be text, got a NUL character in it. Remove it.',
    };
  if (prompt !== undefined) return promptTask(prompt, options);
  if (name === 'summarize') return summarizeTask(options);
  return {
    kind: 'invalid',
    message: `Expected the task to be one of ${TASK_NAMES.join(', ')}, got ${JSON.stringify(name ?? null)}. Your own instructions go into a prompt.`,
  };
}
