/** The process `dispatcher`: grants calls as quota frees. It is `nightshift up --role dispatcher`; further arguments are passed on. */
import { runProcess } from '../src/cli/run-process.ts';

await runProcess(['up', '--role', 'dispatcher', ...process.argv.slice(2)]);
