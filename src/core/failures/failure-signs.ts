/**
 * The signs of failures as one table, read from the top: the first row that fits decides. Each row says where its signs
 * were seen (the provider facts, sections 4 and 5); a row without a dialect holds for all of them.
 *
 * To teach Nightshift a new refusal, add a row to a file in `signs/` and a fixture to the table test.
 */
import { ACCOUNT_SIGNS } from './signs/account.ts';
import { LONG_LIMIT_SIGNS } from './signs/long-limit.ts';
import { MODEL_SIGNS } from './signs/model.ts';
import { REST_SIGNS } from './signs/rest.ts';
import type { Row } from './signs/row.ts';
import { SHORT_LIMIT_SIGNS } from './signs/short-limit.ts';
import { SIZE_SIGNS } from './signs/size.ts';

/** Every row, in the order they are tried. */
export const FAILURE_SIGNS: readonly Row[] = [
  ...SIZE_SIGNS,
  ...ACCOUNT_SIGNS,
  ...MODEL_SIGNS,
  ...LONG_LIMIT_SIGNS,
  ...SHORT_LIMIT_SIGNS,
  ...REST_SIGNS,
];
