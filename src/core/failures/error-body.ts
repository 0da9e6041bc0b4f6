/**
 * What the providers' error bodies say, whatever their form: an object or Gemini's array around `error`, a list of
 * `errors` (Cloudflare), `detail` and `title` (NVIDIA, FastAPI), a bare `message` (Mistral, Cohere), HTML, nothing.
 */
import { isList, isRecord, memberAt, numberAt, parseLoosely, stringAt } from '../json/loose-json.ts';

/** What a body of any form had to say. */
export interface ErrorBody {
  readonly form: 'json' | 'html' | 'text' | 'empty';
  /** Whether it names an error at all: a body may come with a 200 and still be one. */
  readonly hasError: boolean;
  /** All it says in words, in one line; the raw start of the body where it is not JSON. */
  readonly message: string;
  /** Codes, types and statuses, in lower case. */
  readonly codes: readonly string[];
  /** An HTTP status inside the body. */
  readonly status: number | null;
  readonly parameter: string | null;
  /** Gemini's violated quotas: the id, and `=` and its value where that is told. */
  readonly quotaIds: readonly string[];
  /** Gemini's `RetryInfo`, as written. */
  readonly retryDelay: string | null;
  /** OpenRouter: which upstream provider the error came from. */
  readonly upstream: string | null;
  /** OpenRouter repeats headers here; names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

/** No more of a body is looked at; errors are short, and a hostile one should cost nothing. */
const READ_CHARACTERS = 65_536;

/** Reads any text as an error body. Never throws. */
export function readErrorBody(bodyText: string): ErrorBody {
  const text = bodyText.length <= READ_CHARACTERS ? bodyText : bodyText.slice(0, READ_CHARACTERS);
  const parsed = parseLoosely(text);
  const root = isList(parsed) ? parsed[0] : parsed;
  return isRecord(root) ? readObject(root) : readText(text);
}

function readText(text: string): ErrorBody {
  const start = text.trim().slice(0, 2_000);
  const isHtml = /^<(?:!doctype|!--|html|head|body|\?xml)/iu.test(start);
  return {
    form: start === '' ? 'empty' : isHtml ? 'html' : 'text',
    hasError: false,
    message: isHtml ? htmlWords(start) : start,
    codes: [],
    status: null,
    parameter: null,
    quotaIds: [],
    retryDelay: null,
    upstream: null,
    headers: {},
  };
}

function htmlWords(html: string): string {
  return /<title>([^<]{1,200})/iu.exec(html)?.[1]?.trim() ?? 'an HTML page';
}

function readObject(root: unknown): ErrorBody {
  const nested = [memberAt(root, 'error'), memberAt(root, 'errors', 0), memberAt(root, 'detail', 0)];
  const layers = [...nested.filter((layer) => isRecord(layer)), root];
  const details = layers.flatMap((layer) => listAt(layer, 'details'));
  return {
    form: 'json',
    hasError: hasErrorMember(root),
    message: messageOf(layers, nested),
    codes: layers.flatMap((layer) => codesOf(layer)).map((code) => code.toLowerCase()),
    status: first(layers, httpStatusOf),
    parameter: first(layers, (layer) => stringAt(layer, 'param') ?? locationName(layer)),
    quotaIds: details
      .flatMap((detail) => listAt(detail, 'violations'))
      .flatMap((violation) => quotaOf(violation)),
    retryDelay: first(details, (detail) => stringAt(detail, 'retryDelay')),
    upstream: first(layers, (layer) => stringAt(layer, 'metadata', 'provider_name')),
    headers: lowerCaseNames(first(layers, (layer) => memberAt(layer, 'metadata', 'headers'))),
  };
}

function quotaOf(violation: unknown): readonly string[] {
  const id = stringAt(violation, 'quotaId');
  const value = stringAt(violation, 'quotaValue');
  if (id === undefined) return [];
  return [value === undefined ? id : `${id}=${value}`];
}

const ERROR_MEMBERS = ['error', 'errors', 'detail', 'title'];

function hasErrorMember(root: unknown): boolean {
  const names = ERROR_MEMBERS.filter((name) => {
    const value = memberAt(root, name);
    return value !== undefined && value !== null && value !== '' && !(isList(value) && value.length === 0);
  });
  return names.length > 0 || memberAt(root, 'object') === 'error';
}

function messageOf(layers: readonly unknown[], bare: readonly unknown[]): string {
  const words = layers.flatMap((layer) => [
    stringAt(layer, 'message'),
    stringAt(layer, 'msg'),
    stringAt(layer, 'error'),
    stringAt(layer, 'detail'),
    stringAt(layer, 'title'),
    rawMetadata(layer),
    ...listAt(layer, 'details').map((detail) => stringAt(detail, 'reason')),
  ]);
  const spoken = [...words, ...bare].filter((word) => typeof word === 'string' && word !== '');
  return [...new Set(spoken)].join(' | ').slice(0, 8_000);
}

/** OpenRouter hands the upstream's own error through as text. */
function rawMetadata(layer: unknown): string | undefined {
  return stringAt(layer, 'metadata', 'raw');
}

const CODE_PATHS: readonly (readonly string[])[] = [
  ['code'],
  ['type'],
  ['status'],
  ['error_type'],
  ['reason'],
  ['metadata', 'limit_source'],
  ['metadata', 'error_type'],
];

function codesOf(layer: unknown): readonly string[] {
  const own = CODE_PATHS.flatMap((path) => {
    const code = memberAt(layer, ...path);
    return typeof code === 'string' || typeof code === 'number' ? [String(code)] : [];
  });
  return [...own, ...listAt(layer, 'details').flatMap((detail) => stringAt(detail, 'reason') ?? [])];
}

function httpStatusOf(layer: unknown): number | undefined {
  const status = numberAt(layer, 'code') ?? numberAt(layer, 'status') ?? Number(stringAt(layer, 'code'));
  return Number.isInteger(status) && status >= 400 && status <= 599 ? status : undefined;
}

/** FastAPI (Mistral's 422): `loc: ['body', 'top_k']`. */
function locationName(layer: unknown): string | undefined {
  const location = listAt(layer, 'loc').filter((step) => step !== 'body' && typeof step === 'string');
  return typeof location[0] === 'string' ? location[0] : undefined;
}

function listAt(value: unknown, name: string): readonly unknown[] {
  const list = memberAt(value, name);
  return isList(list) ? list : [];
}

function first<T>(values: readonly unknown[], read: (value: unknown) => T | undefined): T | null {
  for (const value of values) {
    const found = read(value);
    if (found !== undefined && found !== null) return found;
  }
  return null;
}

function lowerCaseNames(headers: unknown): Readonly<Record<string, string>> {
  if (!isRecord(headers)) return {};
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), headerText(value)]),
  );
}

function headerText(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}
