/** Random limits, and random things that happen to them. */
import fc from 'fast-check';
import type { CalendarUnit, Limit, Metric, Window } from '../../src/core/model.ts';
import type { QuotaScope } from '../../src/core/quota/quota.ts';
import { limitName } from './quota-under-test.ts';

/** One provider with two lanes. */
export const PROVIDER = 'provider';
export const LANES = ['provider/one', 'provider/two'] as const;

/** What happens next. `pick` chooses among the grants, or instants, there are then. */
export type Command =
  | {
      readonly kind: 'reserve';
      readonly lane: 0 | 1;
      readonly promptTokens: number;
      readonly outputTokens: number;
      readonly beginsAtOnce: boolean;
      readonly arrival01: number;
    }
  | { readonly kind: 'begin'; readonly pick: number }
  | {
      readonly kind: 'settle';
      readonly pick: number;
      readonly settlement: 'usage' | 'estimate' | 'prompt' | 'request' | 'release';
      readonly actual01: number;
      /** How late the call was sent, between its beginning and now. */
      readonly late01: number;
    }
  | { readonly kind: 'crash' }
  | { readonly kind: 'expire' }
  | { readonly kind: 'wait'; readonly ms: number }
  /** Somebody sets our clock; the provider's goes on as before. */
  | { readonly kind: 'step'; readonly ms: number }
  /** To just before, at, or just after the instant that the last refusal named. */
  | { readonly kind: 'wait-for-room'; readonly offsetMs: -1 | 0 | 1 }
  /** The same for an instant at which something may change. */
  | { readonly kind: 'wait-for-boundary'; readonly pick: number; readonly offsetMs: -1 | 0 | 1 };

/** What one night of the suite consists of. */
export interface Night {
  readonly scopes: readonly QuotaScope[];
  readonly startsAtMs: number;
  readonly commands: readonly Command[];
}

const HOUR_MS = 3_600_000;

/** Zones with daylight saving on both hemispheres, at midnight, by half an hour, and none. */
export const TIME_ZONES = [
  'UTC',
  'America/Los_Angeles',
  'Europe/Berlin',
  'Australia/Lord_Howe',
  'America/Santiago',
  'Asia/Kolkata',
] as const;

/** Instants within two days of a change of clocks, a month's end, a leap day, or anything. */
export const instantArbitrary: fc.Arbitrary<number> = fc.oneof(
  ...[
    '2026-03-08T10:00Z',
    '2026-03-29T01:00Z',
    '2026-04-05T03:00Z',
    '2026-10-25T01:00Z',
    '2026-11-01T09:00Z',
  ].map((text) => near(Date.parse(text))),
  ...['2026-01-01T00:00Z', '2027-02-28T12:00Z', '2028-02-29T12:00Z', '2026-04-30T23:00Z'].map((text) =>
    near(Date.parse(text)),
  ),
  fc.integer({ min: Date.parse('2024-01-01'), max: Date.parse('2032-01-01') }),
);

function near(atMs: number): fc.Arbitrary<number> {
  return fc.integer({ min: atMs - 48 * HOUR_MS, max: atMs + 48 * HOUR_MS });
}

const timeZone = fc.constantFrom(...TIME_ZONES);
const calendarUnit = fc.constantFrom<CalendarUnit>('day', 'week', 'month');
/** In the afternoon, where no clock changes. */
const anchorAtMs = fc
  .integer({ min: 0, max: 400 })
  .map((days) => Date.parse('2025-01-01T20:00Z') + days * 24 * HOUR_MS);

/** Windows that last for a time, whatever the calendar says. */
const lastingWindow = (perMs: number): fc.Arbitrary<Window> =>
  fc.record({
    kind: fc.constantFrom('rolling' as const, 'refill' as const, 'session' as const),
    perMs: fc.constantFrom(perMs, perMs, 10 * perMs),
  });

const windowArbitrary = (perMs: number): fc.Arbitrary<Window> => {
  const per = fc.constantFrom(perMs, perMs, 10 * perMs);
  return fc.oneof(
    { weight: 3, arbitrary: lastingWindow(perMs) },
    fc.record({ kind: fc.constant('fixed' as const), perMs: per, anchorAtMs }),
    fc.record({ kind: fc.constant('fixed-month' as const), anchorAtMs, timeZone }),
    fc.record({ kind: fc.constant('calendar' as const), unit: calendarUnit, timeZone }),
  );
};

const metric = fc.constantFrom<Metric>(
  'requests',
  'requests',
  'tokens',
  'tokens',
  'inputTokens',
  'outputTokens',
  'units',
);

/** As uneven as Cloudflare's, so that sums of thousandths are put to the test. */
const unitCost = fc.record({
  input: fc.constantFrom(0, 4.119, 1_000),
  output: fc.constantFrom(34.868, 333.3, 1_000),
});

const limitArbitrary = (perMs: number, isStepped: boolean): fc.Arbitrary<Limit> =>
  fc
    .record({ metric, window: isStepped ? lastingWindow(perMs) : windowArbitrary(perMs) })
    .chain((limit) =>
      fc
        .integer(limit.metric === 'requests' ? { min: 1, max: 5 } : { min: 20, max: 150 })
        .map((amount) => ({ ...limit, amount })),
    );

const limitsArbitrary = (scope: string, perMs: number, isStepped: boolean): fc.Arbitrary<Limit[]> =>
  fc.uniqueArray(limitArbitrary(perMs, isStepped), {
    maxLength: 2,
    selector: (limit) => limitName(scope, limit.metric, { ...limit.window }),
  });

const scopesArbitrary = (perMs: number, isStepped: boolean): fc.Arbitrary<QuotaScope[]> =>
  fc.tuple(
    fc.record({
      id: fc.constant(PROVIDER),
      limits: limitsArbitrary(PROVIDER, perMs, isStepped),
      concurrency: fc.option(fc.integer({ min: 2, max: 8 })),
    }),
    ...LANES.map((id) =>
      fc.record({
        id: fc.constant(id),
        limits: limitsArbitrary(id, perMs, isStepped),
        concurrency: fc.integer({ min: 1, max: 8 }),
        unitCost,
      }),
    ),
  );

const pick = fc.nat({ max: 1_000 });
const share = fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0, max: 1, noNaN: true }));
const offsetMs = fc.constantFrom(-1, 0, 0, 1);
const constant = fc.constant;

const commandArbitrary = (perMs: number): fc.Arbitrary<Command> =>
  fc.oneof(
    { weight: 7, arbitrary: reserveArbitrary },
    { weight: 2, arbitrary: fc.record({ kind: constant('begin' as const), pick }) },
    { weight: 5, arbitrary: settleArbitrary(punctual) },
    { weight: 2, arbitrary: fc.constantFrom<Command>({ kind: 'crash' }, { kind: 'expire' }) },
    { weight: 3, arbitrary: fc.record({ kind: constant('wait' as const), ms: waitMs(perMs) }) },
    { weight: 4, arbitrary: fc.record({ kind: constant('wait-for-room' as const), offsetMs }) },
    { weight: 2, arbitrary: fc.record({ kind: constant('wait-for-boundary' as const), pick, offsetMs }) },
  );

const steppedCommand = (perMs: number): fc.Arbitrary<Command> =>
  fc.oneof(
    { weight: 9, arbitrary: commandArbitrary(perMs) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: constant('step' as const),
        ms: fc.oneof(fc.integer({ min: -perMs, max: perMs }), fc.integer({ min: -HOUR_MS, max: HOUR_MS })),
      }),
    },
  );

const waitMs = (perMs: number): fc.Arbitrary<number> =>
  fc.oneof(
    ...[perMs / 50, perMs / 50, perMs * 1.2, 30 * HOUR_MS].map((max) => fc.nat({ max: Math.ceil(max) })),
  );

const reserveArbitrary: fc.Arbitrary<Command> = fc.record({
  kind: constant('reserve' as const),
  lane: fc.constantFrom(0, 1),
  promptTokens: fc.nat({ max: 40 }),
  outputTokens: fc.nat({ max: 30 }),
  beginsAtOnce: fc.constantFrom(true, true, false),
  arrival01: share,
});

/** What the worker was held up by; see {@link lateNightArbitrary}. */
const punctual = constant(0);

const settleArbitrary = (late01: fc.Arbitrary<number>): fc.Arbitrary<Command> =>
  fc.record({
    late01,
    kind: constant('settle' as const),
    pick,
    settlement: fc.constantFrom('usage', 'usage', 'estimate', 'prompt', 'request', 'release'),
    actual01: share,
  });

/** Nights of up to `length` commands in which our clock is set now and then, on windows that last for a time. */
export const steppedNightArbitrary = (length: number): fc.Arbitrary<Night> => nightArbitrary(length, true);

/**
 * Nights in which workers are held up between beginning a call and sending it. How long is only known when it is over, so
 * a use may end too early meanwhile: these nights are for comparing implementations.
 */
export const lateNightArbitrary = (length: number): fc.Arbitrary<Night> =>
  nightArbitrary(length).chain((night) =>
    fc.array(share, { minLength: night.commands.length, maxLength: night.commands.length }).map((lates) => ({
      ...night,
      commands: night.commands.map((command, index) =>
        command.kind === 'settle' ? { ...command, late01: lates[index] ?? 0 } : command,
      ),
    })),
  );

/** Nights of up to `length` commands. */
export const nightArbitrary = (length: number, isStepped = false): fc.Arbitrary<Night> =>
  fc.constantFrom(100, 1_000, 60_000, 24 * HOUR_MS).chain((perMs) =>
    fc.record({
      scopes: scopesArbitrary(perMs, isStepped),
      startsAtMs: instantArbitrary,
      commands: fc.array(isStepped ? steppedCommand(perMs) : commandArbitrary(perMs), {
        minLength: 1,
        maxLength: length,
        size: 'max',
      }),
    }),
  );
