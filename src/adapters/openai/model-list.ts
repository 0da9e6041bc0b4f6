/** The models that a provider lists, in whichever of the usual forms it does. */
import { isList, memberAt, numberAt, stringAt } from '../../core/json/loose-json.ts';

/** What a list of models says. */
export interface ModelList {
  /** At least one, without Google's `models/`. */
  readonly ids: readonly string[];
  /** Whether it is all of them: of a part nothing can be said to be missing. */
  readonly isWhole: boolean;
}

/** Where lists lie, and which members hold what a call would name: OpenAI's, Google's, Cloudflare's, a bare one. */
const FORMS = [
  { path: ['data'], members: ['id', 'name'] },
  { path: ['models'], members: ['id', 'name'] },
  { path: ['result'], members: ['name'] },
  { path: [], members: ['id', 'name'] },
] as const;

/** The list in a parsed body; `null` where there is none, or no model is in it. */
export const modelListIn = (body: unknown): ModelList | null => {
  for (const { path, members } of FORMS) {
    const list = memberAt(body, ...path);
    if (!isList(list)) continue;
    const ids = list.flatMap((model) => members.map((member) => stringAt(model, member)).find(isThere) ?? []);
    return ids.length === 0
      ? null
      : { ids: ids.map((id) => id.replace(/^models\//u, '')), isWhole: isWhole(body, list.length) };
  }
  return null;
};

const isThere = (text: string | undefined): text is string => text !== undefined && text !== '';

const isWhole = (body: unknown, count: number): boolean =>
  memberAt(body, 'has_more') !== true &&
  (stringAt(body, 'next_page_token') ?? '') === '' &&
  (stringAt(body, 'nextPageToken') ?? '') === '' &&
  (numberAt(body, 'result_info', 'total_count') ?? count) <= count;
