/** A data directory as a first start leaves it, made once for all tests: nights that only need one begin with a copy of it. */
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import type { TestProject } from 'vitest/node';
import { openPostgresBackend } from '../../src/adapters/bullmq/postgres-backend.ts';
import { openEmbeddedPostgres } from '../../src/adapters/embedded-postgres/open.ts';
import { migrateRecord } from '../../src/adapters/postgres/migrate.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** `null` where the database had to go elsewhere, with a pointer that must not be copied. */
    readonly madeHome: string | null;
  }
}

/** Makes it. The setup of all e2e projects. */
export const setup = async ({ provide }: TestProject): Promise<() => Promise<void>> => {
  await using stack = new AsyncDisposableStack();
  const dataDirectory = await mkdtemp(join(tmpdir(), 'nightshift-e2e-made-'));
  stack.defer(() => rm(dataDirectory, { recursive: true, force: true }));
  await makeHome(dataDirectory);
  const isHere = (await readdir(dataDirectory)).includes('postgres');
  provide('madeHome', isHere ? dataDirectory : null);
  const made = stack.move();
  return () => made.disposeAsync();
};

const makeHome = async (dataDirectory: string): Promise<void> => {
  await using postgres = await openEmbeddedPostgres({ dataDirectory });
  await migrateRecord(postgres.connection);
  await (await openPostgresBackend(postgres.connection, () => undefined))[Symbol.asyncDispose]();
};

/** Copies it to a place where nothing is yet. */
export const copyMadeHome = async (dataDirectory: string): Promise<void> => {
  const madeHome = inject('madeHome');
  if (madeHome !== null) await cp(madeHome, dataDirectory, { recursive: true });
};
