/** Reads fault rules that came from outside as JSON. */
import { isRecord } from '../routes/chat-request.ts';
import type { FaultKind, FaultRule } from './fault.ts';
import { FRONT_FAULTS, WORK_FAULTS } from './fault.ts';

const KINDS: readonly FaultKind[] = [...FRONT_FAULTS, ...WORK_FAULTS];
const TEXTS = ['provider', 'model', 'kind', 'parameter'] as const;
const NUMBERS = [
  'fromMs',
  'untilMs',
  'afterCalls',
  'count',
  'probability',
  'everyNth',
  'latencyMs',
  'waitMs',
] as const;

/** The rules of a JSON array. Throws an error that lists every problem. */
export function readFaultRules(value: unknown): readonly FaultRule[] {
  if (!Array.isArray(value)) throw new Error(`Expected fault rules to be an array, got ${typeof value}.`);
  const problems = value.flatMap((rule: unknown, index) => ruleProblems(rule, `rules[${index}]`));
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return value.filter(isFaultRule);
}

function isFaultRule(value: unknown): value is FaultRule {
  return ruleProblems(value, '').length === 0;
}

function ruleProblems(rule: unknown, path: string): string[] {
  if (!isRecord(rule)) return [`Expected \`${path}\` to be an object, got ${JSON.stringify(rule)}.`];
  const problems = Object.entries(rule).flatMap(([name, value]) => memberProblem(name, value, path));
  if (!KINDS.some((kind) => kind === rule['kind']))
    problems.push(expected(`${path}.kind`, `one of ${KINDS.join(', ')}`, rule['kind']));
  if (rule['provider'] === undefined)
    problems.push(expected(`${path}.provider`, "a tier's id or `*`", undefined));
  if (rule['kind'] === 'bad-parameter' && rule['parameter'] === undefined) {
    problems.push(expected(`${path}.parameter`, 'the body member to refuse', undefined));
  }
  return problems;
}

function memberProblem(name: string, value: unknown, path: string): string[] {
  const at = `${path}.${name}`;
  if (TEXTS.some((text) => text === name))
    return typeof value === 'string' ? [] : [expected(at, 'a text', value)];
  if (!NUMBERS.some((number) => number === name))
    return [expected(at, `absent (known: ${[...TEXTS, ...NUMBERS].join(', ')})`, value)];
  if (typeof value !== 'number' || !(value >= 0)) return [expected(at, 'a number of 0 or more', value)];
  if (name === 'everyNth' && !(Number.isInteger(value) && value >= 1))
    return [expected(at, 'a whole number from 1', value)];
  return [];
}

function expected(path: string, what: string, got: unknown): string {
  return `Expected \`${path}\` to be ${what}, got ${JSON.stringify(got) ?? 'nothing'}.`;
}
