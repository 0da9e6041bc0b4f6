/**
 * Reading JSON of unknown shape without ever throwing: what strangers send (input lines, provider bodies) is looked
 * at member by member, and a missing or mistyped member is `undefined`. Checks of our own data do not belong here.
 */

/** A JSON object: not null, not an array. */
export type JsonRecord = Readonly<Record<string, unknown>>;

/** Whether `value` is a JSON object (an array is not). */
export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether `value` is a JSON array; unlike `Array.isArray` it does not turn the elements into `any`. */
export function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

/** The parsed value, or `undefined` where `text` is not JSON (`null` is JSON and comes back as `null`). */
export function parseLoosely(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return undefined;
  }
}

/** The value at `path`, through own members of objects and elements of arrays only; `undefined` where it ends. */
export function memberAt(value: unknown, ...path: readonly (string | number)[]): unknown {
  let current = value;
  for (const step of path) {
    if (isList(current)) current = typeof step === 'number' ? current[step] : undefined;
    else if (isRecord(current)) current = Object.hasOwn(current, step) ? current[step] : undefined;
    else return undefined;
  }
  return current;
}

/** The string at `path`; `undefined` where there is none. An empty string is a string. */
export function stringAt(value: unknown, ...path: readonly (string | number)[]): string | undefined {
  const found = memberAt(value, ...path);
  return typeof found === 'string' ? found : undefined;
}

/** The finite number at `path`; `undefined` where there is none. A number written as a string is not one. */
export function numberAt(value: unknown, ...path: readonly (string | number)[]): number | undefined {
  const found = memberAt(value, ...path);
  return typeof found === 'number' && Number.isFinite(found) ? found : undefined;
}

/** Names a value's JSON type for a message, never its content: `null`, `an array`, `a string`, ... */
export function describeType(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (isList(value)) return value.length === 0 ? 'an empty array' : 'an array';
  if (value === '') return 'an empty string';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** Whether containers are nested deeper than `limit`; walks without recursion, so no input can exhaust the stack. */
export function isNestedDeeperThan(value: unknown, limit: number): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > limit) return true;
    level = level.flatMap((node) => childContainers(node));
  }
  return false;
}

function childContainers(node: unknown): unknown[] {
  if (typeof node !== 'object' || node === null) return [];
  return Object.values(node).filter((child) => typeof child === 'object' && child !== null);
}
