/** The program `nightshift`. Runs when it is loaded. */
import { runProcess } from './run-process.ts';

await runProcess(process.argv.slice(2));
