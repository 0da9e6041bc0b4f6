import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { simulate } from '../../src/simulator/main.ts';

describe('the configuration that simulate writes', () => {
  let directory = '';
  let file = '';
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'nightshift-simulate-'));
    file = join(directory, 'nightshift.yaml');
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  const simulateBriefly = (force = false): Promise<void> =>
    simulate({ writeConfig: file, force, quiet: true, signal: AbortSignal.abort(), print: () => {} });

  it("does not replace a person's file, and says how to", async () => {
    await writeFile(file, 'providers: {}\n');
    await expect(simulateBriefly()).rejects.toThrow('Name another file, or add --force to replace it.');
    expect(await readFile(file, 'utf8')).toBe('providers: {}\n');
  });

  it("replaces a person's file when forced", async () => {
    await writeFile(file, 'providers: {}\n');
    await simulateBriefly(true);
    expect(await readFile(file, 'utf8')).toContain('sim-groq');
  });

  it('replaces the one of an earlier simulation', async () => {
    await simulateBriefly();
    await appendFile(file, '# earlier\n');
    await simulateBriefly();
    expect(await readFile(file, 'utf8')).not.toContain('# earlier');
  });
});
