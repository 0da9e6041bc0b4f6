import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readTask } from '../../src/cli/task-option.ts';

describe('the task of a run', () => {
  let directory = '';
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'nightshift-cli-'));
    await writeFile(join(directory, 'good.txt'), 'Classify: {{text}}');
    await writeFile(join(directory, 'plain.txt'), 'Classify.');
    await writeFile(join(directory, 'latin.txt'), Buffer.from([0x7b, 0xe9, 0x7d]));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  it('is none unless it is named', async () => {
    await expect(readTask({}, directory)).resolves.toBeNull();
  });

  it('is a known one with its field and cap, or the prompt of a file', async () => {
    const named = await readTask({ task: 'summarize', field: 'body', maxOutputTokens: 99 }, directory);
    expect(named).toMatchObject({ name: 'summarize', textField: 'body', maxOutputTokens: 99 });
    await expect(readTask({ prompt: 'good.txt' }, directory)).resolves.toEqual({
      prompt: 'Classify: {{text}}',
    });
  });

  it('cannot be two', async () => {
    await expect(readTask({ task: 'summarize', prompt: 'good.txt' }, directory)).rejects.toThrow(/got both/);
  });

  it('is refused with the reason when its prompt is missing, not UTF-8, or has no placeholder', async () => {
    await expect(readTask({ prompt: 'none.txt' }, directory)).rejects.toThrow(/got none there at/);
    await expect(readTask({ prompt: 'latin.txt' }, directory)).rejects.toThrow(/to be UTF-8 text/);
    await expect(readTask({ prompt: 'plain.txt' }, directory)).rejects.toThrow(/placeholder such as/);
  });

  it('must be there when its companions are', async () => {
    await expect(readTask({ field: 'body' }, directory)).rejects.toThrow(/--field beside --task or --prompt/);
    await expect(readTask({ maxOutputTokens: 9 }, directory)).rejects.toThrow(/--max-output-tokens beside/);
  });
});
