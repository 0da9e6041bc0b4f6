import fc from 'fast-check';
import { expect, test } from 'vitest';
import { closesAtMs, isOpenAt, opensAtMs } from '../../../src/core/night-window.ts';
import { instantArbitrary, nightWindowArbitrary } from '../../contracts/night-windows.ts';
import { openTestRecord } from '../../postgres-fixture.ts';

const questions = fc.array(fc.record({ night: nightWindowArbitrary, atMs: instantArbitrary }), {
  minLength: 1,
  maxLength: 100,
  size: 'max',
});

test('night windows open and close in the record when they do in core, whatever happens to the clocks', async (context) => {
  const { pool } = await openTestRecord(context);
  await fc.assert(
    fc.asyncProperty(questions, async (asked) => {
      const { rows } = await pool.query<{ isOpen: boolean; changesAtMs: number }>(
        `SELECT is_night_open(q->'night', (q->>'atMs')::bigint) AS "isOpen",
                night_changes_at_ms(q->'night', (q->>'atMs')::bigint) AS "changesAtMs"
         FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS a (q, n) ORDER BY n`,
        [JSON.stringify(asked)],
      );
      expect(rows).toEqual(
        asked.map(({ night, atMs }) => {
          const isOpen = isOpenAt(night, atMs);
          return { isOpen, changesAtMs: isOpen ? closesAtMs(night, atMs) : opensAtMs(night, atMs) };
        }),
      );
    }),
    { numRuns: 40 },
  );
});

test('a batch without a window is always open, and nothing ever changes that', async (context) => {
  const { pool } = await openTestRecord(context);
  const { rows } = await pool.query(
    'SELECT is_night_open(NULL, 7) AS open, night_changes_at_ms(NULL, 7) AS changes',
  );
  expect(rows).toEqual([{ open: true, changes: null }]);
});

test('a zone that the record does not know never comes in', async (context) => {
  const { pool } = await openTestRecord(context);
  const night = JSON.stringify({ fromMinute: 0, untilMinute: 60, timeZone: 'Mars/Base' });
  await expect(
    pool.query("INSERT INTO batch (identity, name, night_window, created_at_ms) VALUES ('i', 'n', $1, 0)", [
      night,
    ]),
  ).rejects.toThrow(/Mars\/Base/u);
});
