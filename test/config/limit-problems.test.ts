import { describe, expect, test } from 'vitest';
import { homeWith, problemsOf } from './resolve.ts';

describe('a problem in a limit', () => {
  const FORM = 'expected a duration from 100ms to 30d, such as 90s, 2m, 1.5h or 1d, or 1month';
  const cases: readonly (readonly [string, string, string, string])[] = [
    [
      'no amount',
      '{ per: 1m }',
      '',
      'limits nothing: say at least one of requests, tokens, inputTokens, outputTokens, units',
    ],
    ['no window', '{ requests: 1 }', '.per', `missing; ${FORM}`],
    [
      'an amount of nothing',
      '{ requests: 0, per: 1m }',
      '.requests',
      'expected a positive whole number, got 0',
    ],
    ['half a call', '{ requests: 0.5, per: 1m }', '.requests', 'expected a positive whole number, got 0.5'],
    ['a bare number of seconds', '{ requests: 1, per: 60 }', '.per', `${FORM}, got 60`],
    [
      'an unknown window',
      '{ requests: 1, per: 1m, window: sliding }',
      '.window',
      'expected `rolling`, `refill`, `fixed`, `calendar` or `session`, got "sliding"',
    ],
    [
      'a rolling month',
      '{ requests: 1, per: 1month }',
      '.per',
      'a month has no fixed length: say `window: calendar` or `window: fixed`, or `per: 30d`',
    ],
    [
      'a fixed month from nowhere',
      '{ requests: 1, per: 1month, window: fixed }',
      '.anchor',
      'missing; a fixed month is counted from it (for months from the 1st say `window: calendar`)',
    ],
    [
      'two calendar weeks',
      '{ requests: 1, per: 2w, window: calendar }',
      '.per',
      'a calendar window is a day, a week, a month or an even part of a day; say `window: fixed` for others',
    ],
    [
      'a zone where none applies',
      '{ requests: 1, per: 1h, window: calendar, timeZone: UTC }',
      '.timeZone',
      'only a calendar day, week or month and a fixed month have a zone',
    ],
    [
      'a session of a month',
      '{ requests: 1, per: 1month, window: session }',
      '.per',
      'a month has no fixed length: say `window: calendar` or `window: fixed`, or `per: 30d`',
    ],
    [
      'a session in a zone',
      '{ requests: 1, per: 5h, window: session, timeZone: UTC }',
      '.timeZone',
      'only a calendar day, week or month and a fixed month have a zone',
    ],
    [
      'an anchor where none applies',
      '{ requests: 1, per: 1d, anchor: 2026-11-20T04:00:00Z }',
      '.anchor',
      'only a fixed window has an anchor: say `window: fixed`',
    ],
    [
      'a misspelt zone',
      '{ requests: 1, per: 1d, window: calendar, timeZone: America/Los_Angels }',
      '.timeZone',
      'no such time zone; did you mean `America/Los_Angeles`?',
    ],
    [
      'an anchor without a zone',
      '{ requests: 1, per: 1d, window: fixed, anchor: 2026-11-20T04:00:00 }',
      '.anchor',
      'expected an instant with its zone, such as 2026-11-20T04:00:00Z, got "2026-11-20T04:00:00"',
    ],
    [
      'an anchor on a day that is none',
      '{ requests: 1, per: 1d, window: fixed, anchor: 2026-02-30T04:00:00Z }',
      '.anchor',
      'expected an instant with its zone, such as 2026-11-20T04:00:00Z, got "2026-02-30T04:00:00Z"',
    ],
  ];

  test.each(cases)('%s', (_, limit, member, message) => {
    const path = `providers.home.models.m.limits[0]${member}`;
    expect(problemsOf(homeWith(`        limits:\n          - ${limit}`))).toEqual([
      `nightshift.yaml:10: ${path}: ${message}`,
    ]);
  });
});
