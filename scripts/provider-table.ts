/**
 * The table of providers in README.md, made from the catalog. `node scripts/provider-table.ts` writes it between its
 * marks; `--check` only tells whether it is up to date, and exits with 1 when it is not.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { withProviderTable } from './provider-table/readme.ts';

const path = fileURLToPath(new URL('../README.md', import.meta.url));
const before = readFileSync(path, 'utf8');
const after = withProviderTable(before);
const isCheck = process.argv.includes('--check');

if (!isCheck) writeFileSync(path, after);
else if (after !== before) {
  console.error(
    'The table of providers in README.md is stale. Run `node scripts/provider-table.ts` and commit it.',
  );
  process.exitCode = 1;
}
