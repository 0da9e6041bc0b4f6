import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type AlignedWindow, windowEndMs } from '../../../src/core/quota/window.ts';
import { windowQuestionArbitrary } from '../../contracts/quota-windows.ts';
import { openTestRecord } from '../../postgres-fixture.ts';

test('windows end in the record when they end in core, across changes of clocks and ends of months', async (context) => {
  const { pool } = await openTestRecord(context);
  await fc.assert(
    fc.asyncProperty(
      fc.array(windowQuestionArbitrary, { minLength: 1, maxLength: 100, size: 'max' }),
      async (questions) => {
        const { rows } = await pool.query<{ end_ms: number }>(
          `SELECT window_end_ms(jsonb_populate_record(NULL::quota_limit, q.l), (q.l ->> 'at_ms')::bigint) AS end_ms
         FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS q (l, n) ORDER BY q.n`,
          [JSON.stringify(questions.map(({ window, atMs }) => ({ ...asLimit(window), at_ms: atMs })))],
        );
        expect(rows.map((row) => row.end_ms)).toEqual(
          questions.map(({ window, atMs }) => windowEndMs(window, atMs)),
        );
      },
    ),
    { numRuns: 40 },
  );
});

const asLimit = (window: AlignedWindow): Readonly<Record<string, unknown>> => ({
  window_kind: window.kind,
  per_ms: 'perMs' in window ? window.perMs : null,
  anchor_ms: 'anchorAtMs' in window ? window.anchorAtMs : null,
  time_zone: 'timeZone' in window ? window.timeZone : null,
  unit: 'unit' in window ? window.unit : null,
});
