import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { holdsCluster } from '../../../src/adapters/embedded-postgres/is-there.ts';

test('a directory holds a cluster only where one was started, here or elsewhere', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'nightshift-is-there-'));
  try {
    expect(await holdsCluster(join(directory, 'missing'))).toBe(false);
    expect(await holdsCluster(directory)).toBe(false);
    await writeFile(join(directory, 'postgres.location'), '/elsewhere');
    expect(await holdsCluster(directory)).toBe(true);
    await rm(join(directory, 'postgres.location'));
    await mkdir(join(directory, 'postgres'));
    expect(await holdsCluster(directory)).toBe(true);
  } finally {
    await rm(directory, { recursive: true });
  }
});
