/** HiGHS, loaded. Its types describe a module with a `default` member, which it is not in Node: hence the detour. */
import { createRequire } from 'node:module';
import type { Highs } from 'highs';

/** Solves programmes in the LP format of CPLEX. */
export type Solver = Pick<Highs, 'solve'>;

const loadHighs: () => Promise<Highs> = createRequire(import.meta.url)('highs');

/** Loads it (about 30 ms). */
export const loadSolver = (): Promise<Solver> => loadHighs();
