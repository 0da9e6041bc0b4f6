import { describe, expect, test } from 'vitest';
import { postgresForecastBook } from '../../../src/adapters/postgres/forecast-book.ts';
import { ANY_TERMS } from '../../../src/core/batch-terms.ts';
import type { Forecast } from '../../../src/core/plan/forecast.ts';
import { openTestRecord } from '../../postgres-fixture.ts';
import { openRecordAtWork } from './a-record-at-work.ts';

const FORECAST: Forecast = {
  madeAtMs: 1_000,
  finishAtMs: 61_000,
  spreadMs: 5_000,
  next: { scope: 'alpha', atMs: 30_000 },
};

describe('the forecast book', () => {
  test('keeps what was said last of each batch in progress', async (context) => {
    const record = await openTestRecord(context);
    await using work = await openRecordAtWork(record);
    const book = postgresForecastBook(record.pool);
    const { id } = await work.submit(['a']);
    expect(await book.of(id)).toBeNull();
    await book.store(new Map([[id, FORECAST]]));
    expect(await book.of(id)).toEqual(FORECAST);
    const unknown: Forecast = { madeAtMs: 2_000.4, finishAtMs: null, spreadMs: 0, next: null };
    await book.store(new Map([[id, unknown]]));
    expect(await book.of(id)).toEqual({ ...unknown, madeAtMs: 2_000 });
    expect((await work.batches.status(String(id))).progress.forecast).toEqual({
      ...unknown,
      madeAtMs: 2_000,
    });
  });

  test('is read with what the hours of the batch leave for the next night', async (context) => {
    const record = await openTestRecord(context);
    await using work = await openRecordAtWork(record);
    const { id } = await work.submit(['a']);
    await postgresForecastBook(record.pool).store(new Map([[id, FORECAST]]));
    const nightWindow = { fromMinute: 23 * 60, untilMinute: 1, timeZone: 'UTC' };
    await work.store.setTerms(id, { ...ANY_TERMS, nightWindow }, null);
    const { forecast } = (await work.batches.status(String(id))).progress;
    expect(forecast?.finishAtMs).toBe(23 * 3_600_000 + 1_000);
  });

  test('says nothing of batches that are paused, over or gone', async (context) => {
    const record = await openTestRecord(context);
    await using work = await openRecordAtWork(record);
    const book = postgresForecastBook(record.pool);
    const { id } = await work.submit(['a']);
    await book.store(
      new Map([
        [id, FORECAST],
        [id + 1, FORECAST],
      ]),
    );
    expect(await book.of(id + 1)).toBeNull();
    await work.store.setPaused(id, true);
    expect(await book.of(id)).toBeNull();
    await work.store.setPaused(id, false);
    expect(await book.of(id)).toEqual(FORECAST);
    await work.store.remove(id);
    await book.store(new Map([[id, FORECAST]]));
    expect(await book.of(id)).toBeNull();
    await book.store(new Map());
  });

  test('says nothing any more when nobody has planned for four minutes', async (context) => {
    const record = await openTestRecord(context);
    await using work = await openRecordAtWork(record);
    const book = postgresForecastBook(record.pool);
    const { id } = await work.submit(['a']);
    await book.store(new Map([[id, FORECAST]]));
    await record.pool.query("UPDATE forecast SET stored_at = stored_at - interval '239 s'");
    expect(await book.of(id)).toEqual(FORECAST);
    await record.pool.query("UPDATE forecast SET stored_at = stored_at - interval '2 s'");
    expect(await book.of(id)).toBeNull();
  });
});
