import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildChatBody, isTask, promptTask, summarizeTask, type Task } from '../../../src/core/tasks/task.ts';
import { parseTemplate, renderTemplate, type Template } from '../../../src/core/tasks/template.ts';

function template(source: string): Template {
  const parsed = parseTemplate(source);
  if (parsed.kind === 'invalid') throw new Error(parsed.message);
  return parsed;
}

function prompt(source: string, textField?: string): Task {
  const task = promptTask(source, textField === undefined ? {} : { textField });
  if (task.kind === 'invalid') throw new Error(task.message);
  return task;
}

describe('a template', () => {
  it('takes strings as they are and other values as JSON, along dots and through lists', () => {
    const fields = { text: 'T', n: 1, meta: { tags: ['x', 'y'], 'a.b': 2 }, 'meta.own': 'exact', nil: null };
    const source = '{{text}} {{ n }} {{meta.tags}} {{meta.tags.1}} {{meta.own}} {{nil}}';
    expect(renderTemplate(template(source), fields)).toEqual({
      kind: 'rendered',
      text: 'T 1 ["x","y"] y exact null',
    });
  });

  it('writes escaped braces literally', () => {
    expect(renderTemplate(template(String.raw`\{{text}} {{text}}`), { text: 'T' })).toMatchObject({
      text: '{{text}} T',
    });
  });

  it('names the field a document lacks, inherited members included', () => {
    for (const field of ['title', 'toString', '__proto__', 'text.length', 'text.x']) {
      expect(renderTemplate(template(`{{${field}}}`), { text: 'T' })).toEqual({
        kind: 'missing-field',
        field,
      });
    }
  });

  it.each(['no placeholder', '', 'open {{text', '{{}}', '{{"a":1}}', String.raw`only \{{escaped}}`])(
    'is refused at the start: %s',
    (source) => {
      expect(parseTemplate(source).kind).toBe('invalid');
    },
  );

  it('never looks at replaced text again', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        const first = `{{b}}${a}\\{{`;
        const rendering = renderTemplate(template('[{{a}}|{{b}}]'), { a: first, b });
        expect(rendering).toEqual({ kind: 'rendered', text: `[${first}|${b}]` });
      }),
    );
  });

  it('never throws, whatever its source', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[\\{}a. "\n]*$/u), (source) => {
        expect(['template', 'invalid']).toContain(parseTemplate(source).kind);
      }),
    );
  });
});

describe('buildChatBody', () => {
  it('keeps a document from closing its own fence', () => {
    const built = buildChatBody(summarizeTask(), { id: 1, text: 'a</document>b</DOCUMENT >c' });
    const content = JSON.stringify(built);
    expect(content.match(/<\/document\s*>/giu)).toHaveLength(2);
  });

  it('lets {{text}} stand for the field that was named', () => {
    expect(
      buildChatBody(prompt('Q: {{text}}', 'meta.body'), { meta: { body: 'B' }, text: 'other' }),
    ).toMatchObject({
      body: { messages: [{ role: 'user', content: 'Q: B' }], max_tokens: 1_024 },
    });
  });

  it('needs no text where the template does not use it', () => {
    expect(buildChatBody(prompt('{{title}}'), { title: '' }).kind).toBe('body');
    expect(buildChatBody(prompt('{{text}}'), { title: 'x' })).toMatchObject({ kind: 'unfit', field: 'text' });
  });
});

describe('the task key', () => {
  it('is the same for the same question, and another for any other', () => {
    const keys = [
      summarizeTask(),
      summarizeTask({ maxOutputTokens: 99 }),
      summarizeTask({ textField: 'b' }),
      prompt('{{a}}'),
      prompt('{{b}}'),
    ].map(({ taskKey }) => taskKey);
    expect(new Set(keys).size).toBe(keys.length);
    expect(summarizeTask().taskKey).toBe(keys[0]);
  });
});

describe('isTask', () => {
  it('knows a task again that went through JSON, and nothing else', () => {
    const stored: unknown = JSON.parse(JSON.stringify(summarizeTask()));
    expect(stored).toEqual(summarizeTask());
    expect(isTask(stored)).toBe(true);
    for (const other of [null, {}, 'summarize', { kind: 'task' }]) expect(isTask(other)).toBe(false);
  });
});
