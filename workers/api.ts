/** The process `api`: the HTTP interface and the board. It is `nightshift up --role api`; further arguments are passed on. */
import { runProcess } from '../src/cli/run-process.ts';

await runProcess(['up', '--role', 'api', ...process.argv.slice(2)]);
