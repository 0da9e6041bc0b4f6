/** The record's quota against the plain model of a provider, and step by step against the pure one. */
import { describe } from 'vitest';
import { LANES } from '../../contracts/quota-commands.ts';
import { testQuota } from '../../contracts/quota-contract.ts';
import { openPureQuota } from '../../contracts/quota-pure.ts';
import { openRecordQuota } from '../../contracts/quota-record.ts';
import { sideBySide } from '../../contracts/quota-side-by-side.ts';
import { openTestRecord } from '../../postgres-fixture.ts';

describe('the quota of the record', () => {
  testQuota(
    async (context) => {
      const quota = await openRecordQuota(await openTestRecord(context), LANES);
      context.onTestFinished(() => quota[Symbol.asyncDispose]());
      return sideBySide(quota, openPureQuota());
    },
    { nights: Number(process.env['NIGHTSHIFT_CASES'] ?? 50), commands: 30 },
  );
});
