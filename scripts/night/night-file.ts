/** A night as a JSON file, for nights that are not made by a shape and a seed. Its tiers ask for no key. */
import { z } from 'zod';
import { readFaultRules } from '../../src/simulator/faults/check-faults.ts';
import {
  SIMULATED_DIALECTS,
  SIMULATED_METRICS,
  type SimulatedLimit,
  type SimulatedModel,
  type SimulatedTier,
} from '../../src/simulator/tier.ts';
import type { Night } from './night.ts';

const perMs = z.number().positive();
const windowSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('rolling'), perMs }),
  z.strictObject({ kind: z.literal('refill'), perMs }),
  z.strictObject({ kind: z.literal('fixed'), perMs, anchorAtMs: z.number() }),
  z.strictObject({ kind: z.literal('fixed-month'), anchorAtMs: z.number(), timeZone: z.string() }),
  z.strictObject({
    kind: z.literal('calendar'),
    unit: z.enum(['day', 'week', 'month']),
    timeZone: z.string(),
  }),
  z.strictObject({ kind: z.literal('session'), perMs }),
]);

const limits = z.array(
  z.strictObject({
    metric: z.enum(SIMULATED_METRICS),
    amount: z.number().int().positive(),
    window: windowSchema,
    calledAs: z.enum(['second', 'minute', 'hour', 'session', 'day', 'week', 'month']).exactOptional(),
  }),
) satisfies z.ZodType<SimulatedLimit[]>;

const model = z.strictObject({
  id: z.string(),
  contextTokens: z.number(),
  maxOutputTokens: z.number(),
  limits,
  unitCost: z.strictObject({ input: z.number(), output: z.number() }).exactOptional(),
  concurrency: z.number().exactOptional(),
  latency: z.strictObject({
    minMs: z.number(),
    perOutputTokenMs: z.number().exactOptional(),
    jitterMs: z.number().exactOptional(),
  }),
}) satisfies z.ZodType<SimulatedModel>;

const tier = z.strictObject({
  id: z.string(),
  dialect: z.enum(SIMULATED_DIALECTS),
  limits,
  concurrency: z.number().exactOptional(),
  models: z.array(model),
  countsRejected: z.boolean().exactOptional(),
  countsFailed: z.boolean().exactOptional(),
  refusesParameters: z.array(z.string()).exactOptional(),
}) satisfies z.ZodType<SimulatedTier>;

const tokens = z.number().int().positive();

const night = z.strictObject({
  shape: z.string(),
  seed: z.number(),
  startsAtMs: z.number(),
  tiers: z.array(tier),
  documents: z.array(
    z.strictObject({ id: z.string(), promptTokens: tokens, answerTokens: tokens, capTokens: tokens }),
  ),
  faults: z.unknown().transform((value) => readFaultRules(value)),
  deadlineMs: z.number().nullable(),
});

/** Reads a night. Throws an error that names every member that is not as it should be. */
export const readNight = (text: string): Night => night.parse(JSON.parse(text));

/** Writes it so that it can be read again. */
export const writeNight = (written: Night): string => `${JSON.stringify(written)}\n`;
