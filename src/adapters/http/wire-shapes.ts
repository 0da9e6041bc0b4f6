/**
 * The forms of the service's replies, as its client reads them: loosely, so that a newer service may say more, but what
 * is here must be there.
 */
import { z } from 'zod';
import type { BatchStatus, Retried, Submitted } from '../../app/batches.ts';
import type { LaneTotal } from '../../app/explain.ts';
import type { Batch } from '../../app/batch-store.ts';
import type { LaneProgress, LimitUse } from '../../app/progress.ts';
import type { BatchTerms } from '../../core/batch-terms.ts';
import type { Forecast } from '../../core/plan/forecast.ts';
import type { Policy } from '../../core/policy.ts';

const count = z.number();
const instantMs = z.number();

const policy = z.looseObject({
  forbidsTraining: z.boolean(),
  regions: z.array(z.string()),
  only: z.array(z.string()),
  except: z.array(z.string()),
}) satisfies z.ZodType<Policy>;

const terms = z.looseObject({
  nightWindow: z
    .looseObject({ fromMinute: z.number(), untilMinute: z.number(), timeZone: z.string() })
    .nullable(),
  priority: z.number(),
  deadlineAtMs: instantMs.nullable(),
}) satisfies z.ZodType<BatchTerms>;

const batch = z.looseObject({
  id: z.number(),
  identity: z.string(),
  name: z.string(),
  state: z.enum(['in_progress', 'cancelling', 'cancelled', 'expiring', 'expired', 'completed']),
  isPaused: z.boolean(),
  policy: policy.nullable(),
  maxCostNanoDollars: z.number().nullable(),
  spentNanoDollars: count,
  heldNanoDollars: count,
  refusedNanoDollars: z.number().nullable(),
  terms,
  deadlineText: z.string().nullable(),
  outputPath: z.string().nullable(),
  errorPath: z.string().nullable(),
  createdAtMs: instantMs,
  completedAtMs: instantMs.nullable(),
  total: count,
  bad: count,
  succeeded: count,
  failed: count,
  cancelled: count,
  expired: count,
  promptTokens: count,
  completionTokens: count,
}) satisfies z.ZodType<Batch>;

const evidence = z.looseObject({
  sinceMs: instantMs,
  lastAtMs: instantMs,
  refusals: count,
  reason: z.string(),
  probeAtMs: instantMs,
});

const limitUse = z.looseObject({
  scope: z.string(),
  metric: z.enum(['requests', 'tokens', 'inputTokens', 'outputTokens', 'units']),
  windowKind: z.string(),
  perMs: z.number().nullable(),
  unit: z.enum(['day', 'week', 'month']).nullable(),
  timeZone: z.string().nullable(),
  anchorAtMs: z.number().nullable(),
  amount: z.number(),
  declaredAmount: z.number(),
  reservedAmount: z.number(),
  evidence: evidence.nullable(),
  used: z.number(),
  freesAtMs: instantMs.nullable(),
}) satisfies z.ZodType<LimitUse>;

const closing = z.looseObject({
  scope: z.string(),
  untilMs: instantMs,
  kind: z.string(),
  reason: z.string(),
  needsUser: z.boolean(),
});

const forecast = z.looseObject({
  madeAtMs: instantMs,
  finishAtMs: instantMs.nullable(),
  spreadMs: z.number(),
  next: z.looseObject({ scope: z.string(), atMs: instantMs }).nullable(),
}) satisfies z.ZodType<Forecast>;

const lane = z.looseObject({
  laneId: z.string(),
  providerId: z.string(),
  callsUnderWay: count,
  calls: count,
  succeeded: count,
  rejected: count,
  promptTokens: count,
  completionTokens: count,
  limits: z.array(limitUse),
  closing: closing.nullable(),
  isPaused: z.boolean(),
  workers: count,
}) satisfies z.ZodType<LaneProgress>;

/** `POST /api/batches`. */
export const submittedReply = z.looseObject({
  batch,
  reasons: z.looseObject({ first: z.array(z.string()), count }),
  isKnown: z.boolean(),
  formerTerms: terms.nullable(),
  notices: z.array(z.string()),
}) satisfies z.ZodType<Submitted>;

/** `GET /api/batches`. */
export const listReply = z.looseObject({ batches: z.array(batch) });

/** `GET /api/batches/:ref`. */
export const statusReply = z.looseObject({
  progress: z.looseObject({
    atMs: instantMs,
    batch,
    parked: count,
    nextDueAtMs: instantMs.nullable(),
    underWay: count,
    lanes: z.array(lane),
    savings: z.looseObject({ against: z.string(), nanoDollars: count }).nullable(),
    // A service of before there were forecasts says nothing of them.
    forecast: forecast.nullable().default(null),
  }),
  laneIds: z.array(z.string()),
  warnings: z.array(z.string()),
}) satisfies z.ZodType<BatchStatus>;

/** `POST /api/batches/:ref/cancel`, `pause` and `resume`. */
export const batchReply = z.looseObject({ batch });

/** `POST /api/batches/:ref/retry`. */
export const retryReply = z.looseObject({
  batch,
  lines: count,
  notices: z.array(z.string()),
}) satisfies z.ZodType<Retried>;

/** `GET /api/batches/:ref/lanes`. */
export const laneTotalsReply = z.looseObject({
  lanes: z.array(
    z.looseObject({
      laneId: z.string(),
      calls: count,
      succeeded: count,
      rejected: count,
      promptTokens: count,
      completionTokens: count,
    }) satisfies z.ZodType<LaneTotal>,
  ),
});

/** `GET /api/lanes`. */
export const lanesReply = z.looseObject({ lanes: z.array(lane) });

/** `POST /api/lanes/pause` and `resume`. */
export const laneReply = z.looseObject({ lane: lane.nullable() });

/** Every reply that is no success. */
export const errorReply = z.looseObject({
  error: z.looseObject({ code: z.string(), message: z.string() }),
});

/** Of a final line, what tells a success from all others. */
export const finalLineShape = z.looseObject({
  error: z.unknown(),
  nightshift: z.looseObject({ attempts: z.array(z.looseObject({ outcome: z.string() })) }),
});
