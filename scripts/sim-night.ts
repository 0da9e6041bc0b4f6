/**
 * Whole nights without a network, in seconds: the least possible time by a linear programme with perfect knowledge, and what
 * planner, matching and quota arithmetic make of it, against the simulated tiers' own windows.
 *
 *   npm run sim:night -- [--shape mixed,token-bound,...|all] [--seeds 1,2,3] [--scale 0.25] [--faultless]
 *     [--night FILE.json] [--replan 60s] [--lanes] [--json]
 *
 * `idle` counts lanes that had room for something from one plan to the next, and left it although no better place was named.
 */
import { parseArgs } from 'node:util';
import { openSolver } from '../src/adapters/highs/open-solver.ts';
import { durationMs } from './bench/options.ts';
import { chosenNights, NIGHT_OPTIONS } from './night/chosen-nights.ts';
import { openLeastPossible } from './night/least-possible.ts';
import { compareNight, type NightComparison } from './night/simulate/compare-night.ts';
import { closingComparison, comparisonReport } from './night/simulate/report.ts';

const readOptions = () =>
  parseArgs({
    options: {
      ...NIGHT_OPTIONS,
      replan: { type: 'string', default: '60s' },
      lanes: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  }).values;

const main = async (): Promise<void> => {
  const options = readOptions();
  const nights = await chosenNights(options);
  const replanMs = durationMs('replan', options.replan);
  const setting = { least: await openLeastPossible(), solve: await openSolver(), replanMs };
  const comparisons: NightComparison[] = [];
  for (const night of nights) {
    const comparison = compareNight(night, setting);
    comparisons.push(comparison);
    if (!options.json) console.log(comparisonReport(comparison, options.lanes));
  }
  if (options.json) console.log(JSON.stringify(comparisons, null, 2));
  else console.log(closingComparison(comparisons));
};

await main();
