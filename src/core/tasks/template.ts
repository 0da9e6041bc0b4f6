/**
 * Prompt templates: text with `{{field}}` where a document's field goes. `\{{` stands for a literal `{{`.
 *
 * Parsed once when a batch starts, so that a mistake is found before any line is read. Replaced text is never looked
 * at again: a document that contains `{{...}}` cannot reach other fields.
 */
import { isList, isRecord, type JsonRecord } from '../json/loose-json.ts';

type Segment =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'field'; readonly path: string };

/** A parsed template, with at least one placeholder. */
export interface Template {
  readonly kind: 'template';
  readonly segments: readonly Segment[];
}

/** Why a text is no template; `message` says what was expected and the way out. */
export interface InvalidTemplate {
  readonly kind: 'invalid';
  readonly message: string;
}

/** An escaped brace pair, or a pair with what follows it up to the closing pair on the same line. */
const PLACEHOLDER = /\\\{\{|\{\{(?:([^{}"\n]*)\}\})?/gu;

/** Parses a template; see the head of this file for the syntax. Never throws. */
export function parseTemplate(source: string): Template | InvalidTemplate {
  const segments: Segment[] = [];
  let end = 0;
  for (const match of source.matchAll(PLACEHOLDER)) {
    segments.push({ kind: 'literal', text: source.slice(end, match.index) });
    end = match.index + match[0].length;
    if (match[0].startsWith('\\')) segments.push({ kind: 'literal', text: '{{' });
    else if (match[1] === undefined || match[1].trim() === '') return unfinished(source, match.index);
    else segments.push({ kind: 'field', path: match[1].trim() });
  }
  segments.push({ kind: 'literal', text: source.slice(end) });
  return segments.some(({ kind }) => kind === 'field')
    ? { kind: 'template', segments }
    : withoutPlaceholder();
}

function unfinished(source: string, index: number): InvalidTemplate {
  const line = source.slice(0, index).split('\n').length;
  return {
    kind: 'invalid',
    message: `Expected \`{{\` on line ${line} of the template to be followed by a field's name and \`}}\`. Write \`\\{{\` for the two characters themselves.`,
  };
}

function withoutPlaceholder(): InvalidTemplate {
  return {
    kind: 'invalid',
    message:
      'Expected the template to have a placeholder such as `{{text}}`, got none: every document would get the same prompt. Put `{{text}}` where the document goes.',
  };
}

/** The names between the braces, each once, in order of appearance. */
export function templateFields(template: Template): readonly string[] {
  return [
    ...new Set(template.segments.flatMap((segment) => (segment.kind === 'field' ? [segment.path] : []))),
  ];
}

/** The text for one document, or the first field that it lacks. */
export type Rendering =
  | { readonly kind: 'rendered'; readonly text: string }
  | { readonly kind: 'missing-field'; readonly field: string };

/** Fills a template; strings go in as they are, other values as JSON. */
export function renderTemplate(template: Template, fields: JsonRecord): Rendering {
  let text = '';
  for (const segment of template.segments) {
    const value = segment.kind === 'literal' ? segment.text : fieldAt(fields, segment.path);
    if (value === undefined)
      return { kind: 'missing-field', field: segment.kind === 'field' ? segment.path : '' };
    text += typeof value === 'string' ? value : JSON.stringify(value);
  }
  return { kind: 'rendered', text };
}

/**
 * The value of a field: the member of exactly that name, else along the dots (`meta.title`, `authors.0`). Own members
 * only; `undefined` where there is none.
 */
export function fieldAt(fields: JsonRecord, path: string): unknown {
  if (Object.hasOwn(fields, path)) return fields[path];
  let current: unknown = fields;
  for (const step of path.split('.')) {
    if (!(isRecord(current) || isList(current)) || !Object.hasOwn(current, step)) return undefined;
    current = isList(current) ? current[Number(step)] : current[step];
  }
  return current;
}
