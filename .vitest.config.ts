/**
 * Five projects, one after the other: `unit` needs nothing, `integration` real stores, `e2e` whole processes, `e2e-paced` those
 * that mostly wait for a clock, and `e2e-alone` those whose instants count, one file at a time.
 */
import { defineConfig } from 'vitest/config';

const UNIT = ['core', 'config', 'providers', 'simulator', 'app', 'cli', 'compose', 'night'];
const e2e = (...names: readonly string[]) => names.map((name) => `test/e2e/${name}.test.ts`);
/** Whole nights on a clock of their own, with few processes: they leave each other room. */
const PACED = e2e('midnight', 'paid-night', 'terms');
/** Whole processes that are held to windows of a second or to forecasts: no other file runs beside them. */
const ALONE = e2e('chaos*', 'night', 'plan', 'quota*');
const MADE_HOME = 'test/e2e/made-home.ts';
/** Mostly they wait: for windows, for processes, for disks. */
const AT_ONCE = 2;
/** Their processes wait even more. */
const E2E_AT_ONCE = 3;
/** A machine that others use may stall for seconds: what fails there is tried once more, and counted as flaky. */
const RETRIES = process.env['CI'] === 'true' ? 1 : 0;

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: UNIT.map((folder) => `test/${folder}/**/*.test.ts`),
          maxWorkers: AT_ONCE,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/adapters/**/*.test.ts'],
          globalSetup: 'test/postgres-fixture.ts',
          testTimeout: 30_000,
          hookTimeout: 30_000,
          retry: RETRIES,
          maxWorkers: AT_ONCE,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          exclude: [...PACED, ...ALONE],
          globalSetup: MADE_HOME,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          retry: RETRIES,
          maxWorkers: E2E_AT_ONCE,
          sequence: { groupOrder: 3 },
        },
      },
      {
        test: {
          name: 'e2e-paced',
          include: PACED,
          globalSetup: MADE_HOME,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          retry: RETRIES,
          maxWorkers: AT_ONCE,
          sequence: { groupOrder: 4 },
        },
      },
      {
        test: {
          name: 'e2e-alone',
          include: ALONE,
          globalSetup: MADE_HOME,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          retry: RETRIES,
          fileParallelism: false,
          sequence: { groupOrder: 5 },
        },
      },
    ],
  },
});
