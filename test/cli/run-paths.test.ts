import { link, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  checkPaths,
  checkReadable,
  errorsPath,
  inputName,
  refuseOneForBoth,
  runPaths,
} from '../../src/cli/run-paths.ts';

describe('the paths of a run', () => {
  it('take the output, the errors and the name from the input unless they are said', () => {
    expect(runPaths({ input: 'docs/a.jsonl' }, '/home')).toEqual({
      input: '/home/docs/a.jsonl',
      output: '/home/docs/a.out.jsonl',
      errors: '/home/docs/a.out.errors.jsonl',
      name: 'a',
    });
    expect(runPaths({ input: 'a.jsonl.gz' }, '/home').output).toBe('/home/a.out.jsonl');
    expect(runPaths({ input: 'a.txt' }, '/home').output).toBe('/home/a.txt.out.jsonl');
  });

  it('take what is said as it is, from the working directory', () => {
    const said = { input: 'a.jsonl', out: '../b.jsonl', errors: 'c.jsonl', name: 'tonight' };
    expect(runPaths(said, '/home/me')).toEqual({
      input: '/home/me/a.jsonl',
      output: '/home/b.jsonl',
      errors: '/home/me/c.jsonl',
      name: 'tonight',
    });
  });

  it('ask for a name and an output beside standard input', () => {
    expect(() => runPaths({ input: '-' }, '/')).toThrow(/--name NAME and --out OUT.jsonl beside `-`/);
    expect(() => runPaths({ input: '-', name: 'x' }, '/')).toThrow(/Expected --out OUT.jsonl beside/);
    expect(runPaths({ input: '-', name: 'x', out: 'o.jsonl' }, '/d').input).toBe('-');
  });

  it('are refused where successes and other lines would go to one', () => {
    expect(() => refuseOneForBoth('/d/a.jsonl', '/d/a.jsonl')).toThrow(
      /--errors to be another file than --out/,
    );
    expect(() => refuseOneForBoth('/d/a.jsonl', '/d/b.jsonl')).not.toThrow();
  });

  it('are refused where two of them are one', () => {
    expect(() => runPaths({ input: 'a.jsonl', out: './a.jsonl' }, '/d')).toThrow(
      /another file than the input/,
    );
    expect(() => runPaths({ input: 'a.jsonl', errors: 'a.jsonl' }, '/d')).toThrow(
      /--errors to be another file/,
    );
    expect(() => runPaths({ input: 'a.jsonl', out: 'o', errors: 'o' }, '/d')).toThrow(
      /another file than --out/,
    );
  });
});

describe('paths that are checked before anything starts', () => {
  let directory = '';
  const path = (name: string): string => join(directory, name);
  const check = async (changes: { readonly input?: string; readonly out?: string }): Promise<void> => {
    const { input = 'in.jsonl', out } = changes;
    await checkPaths(runPaths({ input, out }, directory));
  };

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'nightshift-cli-'));
    await writeFile(path('in.jsonl'), '{}\n');
    await mkdir(path('folder'));
    await symlink(path('in.jsonl'), path('symbolic.jsonl'));
    await link(path('in.jsonl'), path('hard.jsonl'));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  it('pass with an output in folders that are not there yet', async () => {
    await expect(check({ out: 'new/folders/out.jsonl' })).resolves.toBeUndefined();
  });

  it('name an input that is missing, or a folder', async () => {
    await expect(check({ input: 'none.jsonl' })).rejects.toThrow(/found none there/);
    await expect(check({ input: 'folder' })).rejects.toThrow(/got a directory/);
  });

  it('refuse an output that is the input under another name', async () => {
    await expect(check({ out: 'symbolic.jsonl' })).rejects.toThrow(/another file than the input/);
    await expect(check({ out: 'hard.jsonl' })).rejects.toThrow(/another file than the input/);
  });

  it('refuse an output that is a folder, or below a file', async () => {
    await expect(check({ out: 'folder' })).rejects.toThrow(/got the directory/);
    await expect(check({ out: 'in.jsonl/out.jsonl' })).rejects.toThrow(/to be a directory, got the file/);
  });

  it('refuse an output where nothing can be written', async () => {
    await expect(check({ out: '/proc/none/out.jsonl' })).rejects.toThrow(/to be writable/);
  });
});

describe('an input that is only handed over', () => {
  it('is called like its file unless it is said', () => {
    expect(inputName('docs/a.jsonl.gz', undefined, '/home')).toEqual({
      input: '/home/docs/a.jsonl.gz',
      name: 'a',
    });
    expect(inputName('a.jsonl', 'tonight', '/home').name).toBe('tonight');
    expect(inputName('-', 'tonight', '/home')).toEqual({ input: '-', name: 'tonight' });
  });

  it('needs a name beside standard input, and nothing else', () => {
    expect(() => inputName('-', undefined, '/home')).toThrow(/Expected --name NAME beside `-`/);
  });

  it('is checked unless it is standard input', async () => {
    await expect(checkReadable('-')).resolves.toBeUndefined();
    await expect(checkReadable('/proc/none.jsonl')).rejects.toThrow(/found none there/);
  });
});

describe('the errors of results', () => {
  it('go beside the output unless it is said where', () => {
    expect(errorsPath('/d/o.jsonl', undefined, '/home')).toBe('/d/o.errors.jsonl');
    expect(errorsPath('/d/o.txt', undefined, '/home')).toBe('/d/o.txt.errors.jsonl');
    expect(errorsPath('/d/o.jsonl', 'e.jsonl', '/home')).toBe('/home/e.jsonl');
  });
});
