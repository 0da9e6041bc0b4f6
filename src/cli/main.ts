/** The program `nightshift`. Runs when it is loaded. */
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

// What was compiled once is kept for the next start, which takes a third less time. Where nothing can be written, it is not.
enableCompileCache(fileURLToPath(new URL('../../node_modules/.cache/nightshift', import.meta.url)));

const { runProcess } = await import('./run-process.ts');

await runProcess(process.argv.slice(2));
