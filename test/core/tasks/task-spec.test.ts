import { describe, expect, it } from 'vitest';
import { taskOf } from '../../../src/core/tasks/task-spec.ts';
import { promptTask, summarizeTask } from '../../../src/core/tasks/task.ts';

describe('a task as it is asked for', () => {
  it('is the named one with its options', () => {
    expect(taskOf({ name: 'summarize', textField: 'body', maxOutputTokens: 99 })).toEqual(
      summarizeTask({ textField: 'body', maxOutputTokens: 99 }),
    );
  });

  it('is a prompt of one’s own with its options', () => {
    expect(taskOf({ prompt: 'Classify: {{text}}', maxOutputTokens: 9 })).toEqual(
      promptTask('Classify: {{text}}', { maxOutputTokens: 9 }),
    );
  });

  it.each([
    ['is both', { name: 'summarize', prompt: '{{text}}' }, /got both/u],
    ['is neither', {}, /summarize, got null/u],
    ['has a name that nobody knows', { name: 'translate' }, /one of summarize, got "translate"/u],
    ['has a prompt without a placeholder', { prompt: 'Classify.' }, /placeholder/u],
  ])('is refused with a sentence where it %s', (_, spec, message) => {
    expect(taskOf(spec)).toMatchObject({ kind: 'invalid', message: expect.stringMatching(message) });
  });
});
