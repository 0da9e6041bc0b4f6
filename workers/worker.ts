/** The process `worker`: makes the calls, with the keys. It is `nightshift up --role worker`; further arguments are passed on. */
import { runProcess } from '../src/cli/run-process.ts';

await runProcess(['up', '--role', 'worker', ...process.argv.slice(2)]);
