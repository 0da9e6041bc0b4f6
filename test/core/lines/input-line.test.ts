import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { duplicateLine, MAX_LINE_BYTES, notUtf8Line, tooLongLine } from '../../../src/core/lines/bad-line.ts';
import { type InputLine, parseInputLine, type ParseContext } from '../../../src/core/lines/input-line.ts';
import { bodyOfLine } from '../../../src/core/lines/line-form.ts';
import { promptTask, summarizeTask } from '../../../src/core/tasks/task.ts';

const BATCH: ParseContext = {
  task: null,
  hasPoolOverride: false,
  resolveModel: (name) =>
    name === 'small' ? { kind: 'lanes', laneIds: ['home/llama'] } : { kind: 'unknown', nearest: ['small'] },
};
const DOCUMENTS: ParseContext = { ...BATCH, task: summarizeTask() };
const SECRET_TEXT = 'the text of the document';
const GOOD_BODY = { model: 'small', messages: [{ role: 'user', content: SECRET_TEXT }] };

function batchLine(changes: object = {}, bodyChanges: object = {}): string {
  const body = { ...GOOD_BODY, ...bodyChanges };
  return JSON.stringify({ custom_id: 'a', method: 'POST', url: '/v1/chat/completions', body, ...changes });
}

function message(content: unknown, role: unknown = 'user'): object {
  return { messages: [{ role, content }] };
}

describe('parseInputLine', () => {
  it('reads an OpenAI batch line', () => {
    const line = parseInputLine(
      batchLine({}, { max_tokens: 50, response_format: { type: 'json_object' } }),
      7,
      BATCH,
    );
    expect(line).toMatchObject({
      kind: 'request',
      form: 'openai',
      lineNumber: 7,
      customId: 'a',
      model: 'small',
      maxTokens: 50,
      isCapRequested: true,
      wantsJson: true,
    });
  });

  it('prefers max_completion_tokens to max_tokens', () => {
    expect(
      parseInputLine(batchLine({}, { max_tokens: 5, max_completion_tokens: 9 }), 1, BATCH),
    ).toMatchObject({ maxTokens: 9 });
  });

  it('turns a document into a request where a task is given', () => {
    const line = parseInputLine(`{"id":"doc","text":"${SECRET_TEXT}","year":1790}`, 2, DOCUMENTS);
    expect(line).toMatchObject({
      kind: 'request',
      form: 'document',
      customId: 'doc',
      model: null,
      maxTokens: 320,
      isCapRequested: false,
    });
  });

  it('still takes OpenAI batch lines where a task is given, and articles whose text is called body', () => {
    expect(parseInputLine(batchLine(), 1, DOCUMENTS)).toMatchObject({
      kind: 'request',
      form: 'openai',
      model: 'small',
    });
    const articles = { ...BATCH, task: summarizeTask({ textField: 'body' }) };
    const article = '{"custom_id":"n","url":"https://example.org","body":"News."}';
    expect(parseInputLine(article, 1, articles)).toMatchObject({
      kind: 'request',
      form: 'document',
      customId: 'n',
    });
  });

  it('keeps every digit of a numeric document id', () => {
    const ids = ['7', '12345678901234567890', '1.5'].map((id) =>
      parseInputLine(`{"id":${id},"text":"x"}`, 1, DOCUMENTS),
    );
    expect(ids.map((line) => (line.kind === 'request' ? line.customId : line.kind))).toEqual([
      '7',
      '12345678901234567890',
      '1.5',
    ]);
  });

  it('needs no model where a pool overrules it', () => {
    const line = parseInputLine(batchLine({}, { model: undefined }), 1, { ...BATCH, hasPoolOverride: true });
    expect(line).toMatchObject({ kind: 'request', model: null });
  });

  it('skips blank lines and a byte order mark at the start of the file', () => {
    expect(parseInputLine(' \r', 3, BATCH)).toEqual({ kind: 'blank', lineNumber: 3 });
    expect(parseInputLine(`\uFEFF${batchLine()}\r`, 1, BATCH).kind).toBe('request');
    expect(parseInputLine(`\uFEFF${batchLine()}`, 2, BATCH)).toMatchObject({ code: 'invalid_json_line' });
  });

  it.each<[string, string, string, string | null]>([
    ['half a line', batchLine().slice(0, -5), 'invalid_json_line', null],
    ['prose', SECRET_TEXT, 'invalid_json_line', null],
    ['an array', '[{"custom_id":"a"}]', 'invalid_request', null],
    ['a string', '"x"', 'invalid_request', null],
    ['null', 'null', 'invalid_request', null],
    [
      'a bottomless line',
      `{"custom_id":"a","body":${'['.repeat(300)}${']'.repeat(300)}}`,
      'invalid_request',
      null,
    ],
    ['no custom_id', batchLine({ custom_id: undefined }), 'missing_required_parameter', 'custom_id'],
    ['an empty custom_id', batchLine({ custom_id: '' }), 'missing_required_parameter', 'custom_id'],
    ['a numeric custom_id', batchLine({ custom_id: 7 }), 'invalid_type', 'custom_id'],
    ['a long custom_id', batchLine({ custom_id: 'x'.repeat(513) }), 'invalid_value', 'custom_id'],
    ['a custom_id with a NUL', batchLine({ custom_id: 'a\0b' }), 'invalid_value', 'custom_id'],
    ['a custom_id with half a pair', batchLine({ custom_id: '\uD800' }), 'invalid_value', 'custom_id'],
    ['no body', batchLine({ body: undefined }), 'missing_required_parameter', 'body'],
    ['text as body', batchLine({ body: SECRET_TEXT }), 'invalid_type', 'body'],
    ['GET', batchLine({ method: 'GET' }), 'invalid_method', 'method'],
    ['no method', batchLine({ method: undefined }), 'missing_required_parameter', 'method'],
    ['embeddings', batchLine({ url: '/v1/embeddings' }), 'invalid_url', 'url'],
    ['streaming', batchLine({}, { stream: true }), 'streaming_unsupported', 'body.stream'],
    ['no messages', batchLine({}, { messages: undefined }), 'missing_required_parameter', 'body.messages'],
    ['empty messages', batchLine({}, { messages: [] }), 'missing_required_parameter', 'body.messages'],
    ['messages that are none', batchLine({}, { messages: SECRET_TEXT }), 'invalid_type', 'body.messages'],
    [
      'a message that is none',
      batchLine({}, { messages: [SECRET_TEXT] }),
      'invalid_type',
      'body.messages[0]',
    ],
    [
      'a message without role',
      batchLine({}, message(SECRET_TEXT, null)),
      'invalid_type',
      'body.messages[0].role',
    ],
    ['a user without content', batchLine({}, message(null)), 'invalid_type', 'body.messages[0].content'],
    [
      'a part without type',
      batchLine({}, message([{ text: SECRET_TEXT }])),
      'invalid_type',
      'body.messages[0].content[0]',
    ],
    ['two answers', batchLine({}, { n: 2 }), 'invalid_value', 'body.n'],
    ['no room to answer', batchLine({}, { max_tokens: 0 }), 'invalid_value', 'body.max_tokens'],
    [
      'half a token',
      batchLine({}, { max_completion_tokens: 1.5 }),
      'invalid_value',
      'body.max_completion_tokens',
    ],
    ['no model', batchLine({}, { model: undefined }), 'missing_required_parameter', 'body.model'],
    ['an unknown model', batchLine({}, { model: 'smal' }), 'model_not_found', 'body.model'],
    [
      'a document without a task',
      `{"id":"d","text":"${SECRET_TEXT}"}`,
      'missing_required_parameter',
      'custom_id',
    ],
  ])('explains %s', (_name, text, code, param) => {
    const line = parseInputLine(text, 9, BATCH);
    expect(line).toMatchObject({ kind: 'bad', lineNumber: 9, code, param });
    expect(messageOf(line)).toMatch(/^Expected /u);
    expect(messageOf(line)).not.toContain(SECRET_TEXT);
  });

  it.each<[string, string, string]>([
    ['no id', '{"text":"x"}', 'id'],
    ['a boolean id', '{"id":true,"text":"x"}', 'id'],
    ['no text', '{"id":"d","body":"x"}', 'text'],
    ['an empty text', '{"id":"d","text":" "}', 'text'],
    ['a text that is none', '{"id":"d","text":[1]}', 'text'],
  ])('explains a document with %s', (_name, text, param) => {
    expect(parseInputLine(text, 9, DOCUMENTS)).toMatchObject({ kind: 'bad', param });
  });

  it('names the field that a template misses and those that are there', () => {
    const task = promptTask('Title: {{title}}');
    if (task.kind === 'invalid') throw new Error(task.message);
    const line = parseInputLine('{"id":"d","titel":"x"}', 1, { ...BATCH, task });
    expect(messageOf(line)).toContain('`title`');
    expect(messageOf(line)).toContain('"titel"');
  });

  it('offers the nearest names for an unknown model, and the tasks for a document', () => {
    expect(messageOf(parseInputLine(batchLine({}, { model: 'smal' }), 1, BATCH))).toContain('"small"');
    expect(messageOf(parseInputLine('{"id":"d","text":"x"}', 1, BATCH))).toMatch(
      /--task summarize.*--prompt/u,
    );
  });

  it('never throws, and a request that it accepts has a body', () => {
    const near = fc.record(
      {
        custom_id: fc.jsonValue(),
        id: fc.jsonValue(),
        method: fc.constant('POST'),
        url: fc.constant('/v1/chat/completions'),
        text: fc.jsonValue(),
        body: fc.record({
          model: fc.constant('small'),
          messages: fc.oneof(fc.jsonValue(), fc.constant(GOOD_BODY.messages)),
        }),
      },
      { requiredKeys: [] },
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json(),
      near.map((value) => JSON.stringify(value)),
    );
    fc.assert(
      fc.property(text, fc.constantFrom(BATCH, DOCUMENTS), (json, context) => {
        const line = parseInputLine(json, 1, context);
        const body = line.kind === 'request' ? bodyOfLine(json, context.task) : null;
        expect(body === null || Object.hasOwn(body, 'messages')).toBe(true);
        expect(messageOf(line).isWellFormed()).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('the makers of bad lines', () => {
  it('say what was found and the way out', () => {
    expect(tooLongLine(4, MAX_LINE_BYTES * 2)).toMatchObject({
      lineNumber: 4,
      code: 'line_too_long',
      customId: null,
    });
    expect(tooLongLine(4, MAX_LINE_BYTES * 2).message).toContain('8.0 MiB');
    expect(notUtf8Line(5)).toMatchObject({ lineNumber: 5, code: 'invalid_utf8' });
    expect(duplicateLine(6, 'a', 2)).toMatchObject({
      lineNumber: 6,
      customId: 'a',
      code: 'duplicate_custom_id',
    });
    expect(duplicateLine(6, 'a', 2).message).toContain('line 2');
  });
});

describe('bodyOfLine', () => {
  it('keeps the numbers of a batch line as they were written', () => {
    const text = batchLine().replace('"model"', '"seed":12345678901234567890,"model"');
    expect(JSON.stringify(bodyOfLine(text, null))).toContain('"seed":12345678901234567890');
  });

  it('builds the same request from a document that ingest measured', () => {
    const body = bodyOfLine('{"id":1,"text":"Hello"}', summarizeTask());
    expect(body).toMatchObject({
      max_tokens: 320,
      messages: [{ role: 'system' }, { role: 'user', content: '<document>\nHello\n</document>' }],
    });
  });
});

function messageOf(line: InputLine): string {
  return line.kind === 'bad' ? line.message : '';
}
