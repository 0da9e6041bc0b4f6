import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { openSolver } from '../../../src/adapters/highs/open-solver.ts';

/** JSON has no infinity: it is written as text. */
const numbers = z.array(z.union([z.number(), z.string()]).transform(Number));
const programmeSchema = z.object({
  costs: numbers,
  lower: numbers,
  upper: numbers,
  rows: z.array(
    z.object({
      lower: numbers.element,
      upper: numbers.element,
      columns: z.array(z.number()),
      values: z.array(z.number()),
    }),
  ),
});

it('solves a programme that HiGHS fails to presolve', async () => {
  const text = await readFile(new URL('./presolve-fails.json', import.meta.url), 'utf8');
  const programme = programmeSchema.parse(JSON.parse(text));
  const { values } = (await openSolver())(programme);
  const objective = values.reduce((sum, value, column) => sum + value * (programme.costs[column] ?? 0), 0);
  expect(objective).toBeCloseTo(134_965.4346, 3);
});

it('says what came of a programme without a solution', async () => {
  const solve = await openSolver();
  const impossible = { lower: 2, upper: 2, columns: [0], values: [1] };
  expect(() => solve({ costs: [1], lower: [0], upper: [1], rows: [impossible] })).toThrow(
    'Expected the programme to have an optimal solution, got status 8.',
  );
});
