/** What a paid call asks for: text, at the rate that its budget is reckoned by. Pure. */
import { isList, isRecord, type JsonRecord, memberAt } from '../json/loose-json.ts';
import { isNumber } from '../json/lossless-json.ts';

/**
 * Ask for another rate than the standard one (twice as much for a faster answer, more for what is to be cached), for another
 * model's (OpenRouter's and LiteLLM's lists of substitutes), or for what is billed beside tokens, by other tokens than text
 * (searches, speech), or beyond the cap of the answer (what was predicted of it and did not come, answers to choose from). What
 * a gateway takes out of `extra_body` may be any of them.
 */
const DEARER_PARAMETERS: ReadonlySet<string> = new Set([
  'service_tier',
  'speed',
  'cache_control',
  'models',
  'fallbacks',
  'context_window_fallbacks',
  'context_window_fallback_dict',
  'content_policy_fallbacks',
  'plugins',
  'web_search_options',
  'search_parameters',
  'modalities',
  'audio',
  'prediction',
  'best_of',
  'extra_body',
]);

/** Tools that the caller runs; any other runs at the provider, and is billed by the use. */
const OWN_TOOLS: readonly unknown[] = ['function', 'custom'];

/** Preferences of OpenRouter that may choose a dearer host, or let one be chosen. Those about data stay. */
const DEARER_PREFERENCES: ReadonlySet<string> = new Set([
  'order',
  'only',
  'allow_fallbacks',
  'sort',
  'max_price',
  'preferred_min_throughput',
  'preferred_max_latency',
]);

/** What is put into a cache is billed at more than the rate of a prompt. */
const CACHE_CONTROL: ReadonlySet<string> = new Set(['cache_control']);

/** What becomes of members that stay. */
const REWRITTEN: ReadonlyMap<string, (value: unknown) => unknown> = new Map([
  ['messages', (messages) => eachOf(messages, uncachedMessage)],
  ['tools', (tools) => eachOf(isList(tools) ? tools.filter(isOwnTool) : tools, uncached)],
  ['provider', (preferences) => without(preferences, DEARER_PREFERENCES)],
]);

/** The body without what would change the price of a call. */
export function atStandardRate(body: JsonRecord): JsonRecord {
  const standard = Object.fromEntries(
    Object.entries(body)
      .filter(([name]) => !DEARER_PARAMETERS.has(name))
      .map(([name, value]) => [name, REWRITTEN.get(name)?.(value) ?? value]),
  );
  const { tools, tool_choice: _toolChoice, ...withoutTools } = standard;
  return isList(tools) && tools.length === 0 ? withoutTools : standard;
}

const isOwnTool = (tool: unknown): boolean => OWN_TOOLS.includes(memberAt(tool, 'type'));

const uncached = (value: unknown): unknown => without(value, CACHE_CONTROL);

function uncachedMessage(message: unknown): unknown {
  const content = memberAt(message, 'content');
  const rest = uncached(message);
  return isRecord(rest) && isList(content) ? { ...rest, content: content.map(uncached) } : rest;
}

const eachOf = (values: unknown, change: (value: unknown) => unknown): unknown =>
  isList(values) ? values.map(change) : values;

/** Numbers are kept as they were written, and are records to look at. */
function without(value: unknown, names: ReadonlySet<string>): unknown {
  if (!isRecord(value) || isNumber(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([name]) => !names.has(name)));
}
