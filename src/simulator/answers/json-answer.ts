/** An answer as JSON: of the asked-for schema where one was given, else `{ summary, key_points }`. */
import { isRecord } from '../routes/chat-request.ts';
import { sentencesOf } from './sentences.ts';

const MAX_DEPTH = 5;

/**
 * A JSON text that carries `summary`. Follows `type`, `properties`, `items`, `enum` and `const` of a schema, which
 * is what structured output of the imitated providers knows; numbers are 0 or the schema's minimum.
 */
export function jsonAnswer(summary: string, schema: Readonly<Record<string, unknown>> | null): string {
  const sentences = sentencesOf(summary).map((sentence) => sentence.text);
  if (schema === null) return JSON.stringify({ summary, key_points: sentences.slice(0, 3) });
  return JSON.stringify(valueFor(schema, { summary, sentences, depth: 0 }));
}

interface Material {
  readonly summary: string;
  readonly sentences: readonly string[];
  readonly depth: number;
}

function valueFor(schema: unknown, material: Material): unknown {
  if (!isRecord(schema) || material.depth > MAX_DEPTH) return material.summary;
  if ('const' in schema) return schema['const'];
  if (Array.isArray(schema['enum'])) return schema['enum'][0];
  switch (typeOf(schema)) {
    case 'object':
      return objectFor(schema['properties'], { ...material, depth: material.depth + 1 });
    case 'array':
      return arrayFor(schema['items'], { ...material, depth: material.depth + 1 });
    case 'number':
    case 'integer':
      return typeof schema['minimum'] === 'number' ? schema['minimum'] : 0;
    case 'boolean':
      return true;
    case 'null':
      return null;
    default:
      return material.summary;
  }
}

function typeOf(schema: Readonly<Record<string, unknown>>): unknown {
  const { type } = schema;
  if (Array.isArray(type)) return type[0];
  return type ?? ('properties' in schema ? 'object' : 'string');
}

function objectFor(properties: unknown, material: Material): Record<string, unknown> {
  const named = isRecord(properties) ? Object.entries(properties) : [];
  return Object.fromEntries(named.map(([name, schema]) => [name, valueFor(schema, material)]));
}

function arrayFor(items: unknown, material: Material): unknown[] {
  const parts = material.sentences.length > 0 ? material.sentences.slice(0, 3) : [material.summary];
  return parts.map((summary) => valueFor(items, { ...material, summary, sentences: [summary] }));
}
