/** The pure quota against the plain model of a provider. */
import { describeQuota } from '../contracts/quota-contract.ts';
import { openPureQuota } from '../contracts/quota-pure.ts';

describeQuota('the pure quota', async () => openPureQuota(), {
  nights: Number(process.env['NIGHTSHIFT_CASES'] ?? 1_000),
  commands: 60,
});
