/** The one lane of the fake batches: how it stands, what is told of its provider, and which policies leave it. */
import { BatchRefused } from '../../../src/app/batches.ts';
import type { LaneProgress } from '../../../src/app/progress.ts';
import { nearestNames } from '../../../src/core/nearest.ts';
import { policyText } from '../../../src/core/policy-text.ts';
import { type Policy, qualifies } from '../../../src/core/policy.ts';
import { aLane, aProvider } from '../../app/fakes.ts';

/** Always. */
export const NOW_MS = 1_795_000_000_000;
/** The pool and the lane of every line. */
export const FAKE_POOL = 'small';
export const FAKE_LANE = 'alpha/small';
/** What a policy may name. */
const FAKE_NAMES = ['alpha', FAKE_LANE, 'beta'];
/** What is told until it was. */
export const FAKE_NOTICE =
  'Alpha may train on what you send; `--no-training` or `--except alpha` leaves it out.';

/** @throws BatchRefused where it names a stranger, or leaves nothing. */
export const requirePolicy = (policy: Policy | null): void => {
  if (policy === null) return;
  const stranger = [...policy.only, ...policy.except].find((name) => !FAKE_NAMES.includes(name));
  if (stranger !== undefined) {
    const near = nearestNames(stranger, FAKE_NAMES).join(' or ');
    throw new BatchRefused('invalid', `Expected a name, got ${stranger}. Did you mean ${near}?`);
  }
  if (qualifies(policy, aProvider([LANE_ITSELF]), LANE_ITSELF)) return;
  throw new BatchRefused('invalid', `Expected \`${policyText(policy)}\` to leave a lane, got none.`);
};

const LANE_ITSELF = aLane(FAKE_LANE);

/** As it stands. */
export const LANE: LaneProgress = {
  laneId: FAKE_LANE,
  providerId: 'alpha',
  callsUnderWay: 0,
  calls: 3,
  succeeded: 2,
  rejected: 1,
  promptTokens: 100,
  completionTokens: 20,
  limits: [
    {
      scope: FAKE_LANE,
      metric: 'requests',
      windowKind: 'rolling',
      perMs: 60_000,
      unit: null,
      timeZone: null,
      anchorAtMs: null,
      amount: 20,
      declaredAmount: 30,
      reservedAmount: 5,
      evidence: {
        sinceMs: NOW_MS - 60_000,
        lastAtMs: NOW_MS,
        refusals: 3,
        reason: 'Too many requests.',
        probeAtMs: NOW_MS + 60_000,
      },
      used: 3,
      freesAtMs: null,
    },
  ],
  closing: {
    scope: 'alpha',
    untilMs: NOW_MS,
    kind: 'rate-limited',
    reason: 'Too many requests.',
    needsUser: false,
  },
  isPaused: false,
  workers: 1,
};
