/** Reads YAML so that every value can be traced to its line. */
import type { Document, Node } from 'yaml';
import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { DocumentPath, Problem } from './problems.ts';

/** A parsed file. */
export interface YamlFile {
  readonly name: string;
  /** Plain data; `null` for an empty file. */
  readonly data: unknown;
  /** The line, from 1, of a key or list entry, or of the nearest one above it that exists. */
  lineOf(path: DocumentPath): number;
}

/** What reading gave: the file, or what is wrong with its YAML. */
export type YamlResult =
  | { readonly kind: 'parsed'; readonly file: YamlFile }
  | { readonly kind: 'broken'; readonly problems: readonly Problem[] };

/** Parses one YAML document; never throws. Problems never quote the text, which may hold a secret. */
export function parseYamlFile(name: string, text: string): YamlResult {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) {
    return { kind: 'broken', problems: document.errors.map((error) => syntaxProblem(name, lines, error)) };
  }
  const lineOf = (path: DocumentPath) => Math.max(1, lines.linePos(offsetOf(document, path)).line);
  const data = plainData(document);
  if (data.kind === 'parsed') return { kind: 'parsed', file: { name, data: data.value, lineOf } };
  return { kind: 'broken', problems: [{ file: name, line: null, path: '', message: TOO_MANY_ALIASES }] };
}

const TOO_MANY_ALIASES = 'not valid YAML (more aliases than a configuration can need)';

/** The document as plain data. The parser refuses documents whose aliases multiply beyond reason. */
function plainData(document: Document) {
  try {
    return { kind: 'parsed', value: document.toJS() as unknown } as const;
  } catch {
    return { kind: 'refused' } as const;
  }
}

function syntaxProblem(
  file: string,
  lines: LineCounter,
  error: { pos: [number, number]; code: string },
): Problem {
  const message = `not valid YAML (${error.code.toLowerCase().replaceAll('_', ' ')})`;
  return { file, line: lines.linePos(error.pos[0]).line, path: '', message };
}

/** Offset of the last key or entry on the path that exists. */
function offsetOf(document: Document, path: DocumentPath): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const step of path) {
    const next = childOf(resolved(node, document), step);
    if (next === undefined) break;
    offset = next.offset ?? offset;
    node = next.value;
  }
  return offset;
}

interface Child {
  readonly offset: number | undefined;
  readonly value: unknown;
}

function childOf(node: unknown, step: string | number): Child | undefined {
  if (isMap(node)) {
    const pair = node.items.find(({ key }) => String(isScalar(key) ? key.value : key) === String(step));
    return pair === undefined ? undefined : { offset: startOf(pair.key), value: pair.value };
  }
  if (!isSeq(node) || typeof step !== 'number') return undefined;
  const item = node.items[step];
  return item === undefined ? undefined : { offset: startOf(item), value: item };
}

function resolved(node: unknown, document: Document): unknown {
  return isAlias(node) ? node.resolve(document) : node;
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? (node as Node).range?.[0] : undefined;
}
