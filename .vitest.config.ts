/** Three projects: `unit` needs nothing, `integration` real stores, `e2e` whole processes, one file at a time. */
import { defineConfig } from 'vitest/config';

const UNIT = ['core', 'config', 'providers', 'simulator', 'app', 'cli', 'compose', 'night'];

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: UNIT.map((folder) => `test/${folder}/**/*.test.ts`) } },
      {
        test: {
          name: 'integration',
          include: ['test/adapters/**/*.test.ts'],
          testTimeout: 30_000,
          hookTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
