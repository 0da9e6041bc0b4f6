/** Input lines for tests, and final lines read back. */
import { readFile } from 'node:fs/promises';

/** A final line, as far as tests look at it. */
export interface FinalLine {
  readonly custom_id: string | null;
  readonly response: {
    readonly status_code: number;
    readonly body: { readonly choices?: readonly { readonly message: { readonly content: string } }[] };
  } | null;
  readonly error: { readonly code: string; readonly message: string; readonly line?: number } | null;
  readonly nightshift: {
    readonly lane: string | null;
    readonly attempts: readonly { readonly lane: string; readonly outcome: string; readonly reason: string | null }[];
  };
}

/** What tests change of an ordinary line. */
export interface LineOptions {
  /** Default `small`. */
  readonly model?: string;
  /** Default 40. */
  readonly maxTokens?: number;
  /** The user's message; default two short sentences that name the line. */
  readonly content?: string;
}

/** An OpenAI batch line. Its body carries the id as metadata, by which the simulator's log tells the lines apart. */
export const chatLine = (customId: string, { model = 'small', maxTokens = 40, content }: LineOptions = {}): string =>
  JSON.stringify({
    custom_id: customId,
    method: 'POST',
    url: '/v1/chat/completions',
    body: {
      model,
      max_tokens: maxTokens,
      metadata: { custom_id: customId },
      messages: [{ role: 'user', content: content ?? `This is the text of ${customId}. Say something about it.` }],
    },
  });

/** Ids `prefix0`, `prefix1`, ... */
export const ids = (count: number, prefix = 'line-'): readonly string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`);

/** The final lines of a file; none where there is no file. */
export const readFinalLines = async (path: string): Promise<readonly FinalLine[]> => {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  });
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as FinalLine);
};

/** The `custom_id`s of final lines, in their order. */
export const customIdsOf = (lines: readonly FinalLine[]): readonly (string | null)[] => lines.map((line) => line.custom_id);
