import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Failure } from '../../../src/core/failures/failure.ts';
import { badLine, failedLine, type LineHead, successLine } from '../../../src/core/lines/output-line.ts';

const HEAD: LineHead = {
  id: 'batch_req_1',
  customId: 'a',
  provenance: {
    lane: 'home/llama',
    attempts: [
      {
        lane: 'home/llama',
        outcome: 'succeeded',
        reason: null,
        begunAtMs: 1,
        durationMs: 2,
        promptTokens: 3,
        completionTokens: 4,
      },
    ],
  },
};
const OK = { statusCode: 200, requestId: 'r-1' };

function failureLine(failure: Failure, statusCode: number | null): unknown {
  return JSON.parse(failedLine({ ...HEAD, failure, statusCode, requestId: null }));
}

describe('final lines', () => {
  it('embed an answer as it came', () => {
    const bodyText = String.raw`{"seed": 12345678901234567890, "s": "\ud800", "x": 1.50}`;
    const line = successLine({ ...HEAD, ...OK, bodyText });
    expect(line).toContain(`"body":${bodyText}}`);
    expect(JSON.parse(line)).toMatchObject({
      id: 'batch_req_1',
      custom_id: 'a',
      response: { status_code: 200, request_id: 'r-1' },
      error: null,
      nightshift: HEAD.provenance,
    });
  });

  it('put a body of several lines on one', () => {
    const line = successLine({ ...HEAD, ...OK, bodyText: '{\r\n  "a": "x\\ny"\n}\n' });
    expect(line).not.toMatch(/[\r\n]/u);
    expect(JSON.parse(line)).toMatchObject({ response: { body: { a: 'x\ny' } } });
  });

  it('refuse to embed what is no JSON', () => {
    expect(() => successLine({ ...HEAD, ...OK, bodyText: '{}},"x":{' })).toThrow(/Expected `bodyText`/u);
  });

  it('put an HTTP failure into the response and any other into the error', () => {
    const failure = { kind: 'bad-request', parameter: 'seed', reason: 'HTTP 400: no' } as const;
    const error = { message: 'HTTP 400: no', type: 'bad_request', param: 'seed', code: 'bad_request' };
    expect(failureLine(failure, 400)).toMatchObject({
      response: { status_code: 400, body: { error } },
      error: null,
    });
    const timeout = { kind: 'sick', mayHaveWorked: true, retryAtMs: null, reason: 'late' } as const;
    expect(failureLine(timeout, null)).toMatchObject({
      response: null,
      error: { code: 'sick', message: 'late' },
    });
  });

  it('name the line, the code and the member of a bad input line', () => {
    const line = badLine('batch_req_2', {
      kind: 'bad',
      lineNumber: 12,
      customId: null,
      code: 'invalid_url',
      message: 'm',
      param: 'url',
    });
    expect(JSON.parse(line)).toEqual({
      id: 'batch_req_2',
      custom_id: null,
      response: null,
      error: { code: 'invalid_url', message: 'm', param: 'url', line: 12 },
      nightshift: { lane: null, attempts: [] },
    });
  });

  it('are always one line of JSON that holds the custom_id', () => {
    const body = fc
      .tuple(fc.jsonValue(), fc.constantFrom(undefined, 2))
      .map(([value, indent]) => JSON.stringify(value, null, indent));
    fc.assert(
      fc.property(fc.string(), fc.string(), body, fc.string(), (customId, id, bodyText, words) => {
        const head = { ...HEAD, customId, id };
        const failure = { kind: 'unknown', status: null, reason: words } as const;
        const lines = [
          successLine({ ...head, ...OK, bodyText }),
          failedLine({ ...head, failure, statusCode: null, requestId: words }),
          failedLine({ ...head, failure, statusCode: 418, requestId: words }),
        ];
        for (const line of lines) {
          expect(line).not.toMatch(/[\r\n]/u);
          expect(JSON.parse(line)).toMatchObject({ custom_id: customId });
        }
        expect(JSON.parse(lines[0] ?? '')).toMatchObject({ response: { body: JSON.parse(bodyText) } });
      }),
    );
  });
});
