/** What a paid call asks for: text, at the rate that its budget is reckoned by. Pure. */
import { isList, type JsonRecord, memberAt } from '../json/loose-json.ts';

/**
 * Ask for another rate than the standard one (twice as much for a faster answer), for another model's (OpenRouter's list of
 * substitutes), or for what is billed beside tokens, by other tokens than text (searches, speech), or beyond the cap of the
 * answer (what was predicted of it and did not come).
 */
const DEARER_PARAMETERS: ReadonlySet<string> = new Set([
  'service_tier',
  'speed',
  'models',
  'plugins',
  'web_search_options',
  'search_parameters',
  'modalities',
  'audio',
  'prediction',
]);

/** Tools that the caller runs; any other runs at the provider, and is billed by the use. */
const OWN_TOOLS: readonly unknown[] = ['function', 'custom'];

/** The body without what would change the price of a call. */
export function atStandardRate(body: JsonRecord): JsonRecord {
  const standard = Object.fromEntries(Object.entries(body).filter(([name]) => !DEARER_PARAMETERS.has(name)));
  const { tools, ...others } = standard;
  if (!isList(tools)) return standard;
  const own = tools.filter((tool) => OWN_TOOLS.includes(memberAt(tool, 'type')));
  if (own.length > 0) return { ...others, tools: own };
  const { tool_choice: _toolChoice, ...withoutTools } = others;
  return withoutTools;
}
