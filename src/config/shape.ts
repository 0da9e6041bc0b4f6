/** Applies the schema so that one faulty value does not hide another: it reports all, and returns the rest. */
import type { z } from 'zod';
import { formatPath } from './problems.ts';
import type { DocumentPath, PathProblem } from './problems.ts';
import { configFile } from './schema.ts';
import type { ConfigFile } from './schema.ts';

/** The parts of the file that have the right shape, and what is wrong with the others. */
export interface ShapeResult {
  readonly file: ConfigFile;
  readonly problems: readonly PathProblem[];
}

/** Checks the file's data against the schema. `file` lacks whatever `problems` names; never throws. */
export function checkShape(data: unknown): ShapeResult {
  const result = configFile.safeParse(data);
  if (result.success) return { file: result.data, problems: [] };
  const problems = result.error.issues.flatMap((issue) => problemsOf(issue, data));
  const faulty = new Set(problems.map(({ path }) => formatPath(faultyPart(data, path))));
  return { file: checkShape(without(faulty, data, [])).file, problems };
}

function problemsOf(issue: z.core.$ZodIssue, data: unknown): readonly PathProblem[] {
  const path = issue.path.map((step) => (typeof step === 'number' ? step : String(step)));
  if (issue.code === 'unrecognized_keys') {
    const messages = issue.message.split('\n');
    return issue.keys.map((key, index) => ({
      path: [...path, key],
      message: messages[index] ?? 'unknown key',
    }));
  }
  return [{ path, message: completed(issue.message, valueAt(data, path)) }];
}

function completed(message: string, value: unknown): string {
  if (!message.startsWith('expected')) return message;
  return value === undefined ? `missing; ${message}` : `${message}, got ${shown(value)}`;
}

/** Where something is missing, what lacks it is at fault. Each such part exists, so leaving it out ends. */
function faultyPart(data: unknown, path: DocumentPath): DocumentPath {
  return path.length > 0 && valueAt(data, path) === undefined ? faultyPart(data, path.slice(0, -1)) : path;
}

const LONGEST_SHOWN = 40;

function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (value === null) return 'nothing';
  if (typeof value === 'object') return 'a mapping';
  const json = typeof value === 'number' ? String(value) : JSON.stringify(value);
  return json.length > LONGEST_SHOWN ? `${json.slice(0, LONGEST_SHOWN)}…` : json;
}

function valueAt(data: unknown, path: DocumentPath): unknown {
  return path.reduce<unknown>((value, step) => {
    return typeof value === 'object' && value !== null ? Reflect.get(value, step) : undefined;
  }, data);
}

/** The data without what is at the faulty paths; nothing at all if the fault is at the top. */
function without(faulty: ReadonlySet<string>, value: unknown, path: DocumentPath): unknown {
  if (faulty.has(formatPath(path))) return undefined;
  if (typeof value !== 'object' || value === null) return value;
  const keep = (step: string | number) => !faulty.has(formatPath([...path, step]));
  if (Array.isArray(value)) {
    return value.flatMap((item, index) => (keep(index) ? [without(faulty, item, [...path, index])] : []));
  }
  const entries = Object.entries(value).filter(([key]) => keep(key));
  return Object.fromEntries(entries.map(([key, item]) => [key, without(faulty, item, [...path, key])]));
}
