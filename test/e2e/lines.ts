/** Input lines for tests, and final lines read back. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';

const attempt = z.object({ lane: z.string(), outcome: z.string(), reason: z.string().nullable() });
const choice = z.object({ message: z.object({ content: z.string() }) });
const finalLine = z.object({
  custom_id: z.string().nullable(),
  response: z
    .object({ status_code: z.number(), body: z.object({ choices: z.array(choice).optional() }) })
    .nullable(),
  error: z.object({ code: z.string(), message: z.string(), line: z.number().optional() }).nullable(),
  nightshift: z.object({ lane: z.string().nullable(), attempts: z.array(attempt) }),
});

/** A final line, as far as tests look at it. */
export type FinalLine = z.infer<typeof finalLine>;

/** What tests change of an ordinary line. */
export interface LineOptions {
  /** Default `small`. */
  readonly model?: string;
  /** Default 40. */
  readonly maxTokens?: number;
  /** The user's message; default two short sentences that name the line. */
  readonly content?: string;
}

/** A request with the body of a chat completion, before it is written. */
export const chatRequest = (
  customId: string,
  { model = 'small', maxTokens = 40, content }: LineOptions = {},
) => ({
  custom_id: customId,
  method: 'POST',
  url: '/v1/chat/completions',
  body: {
    model,
    max_tokens: maxTokens,
    // By which the simulator's log tells the lines apart.
    metadata: { custom_id: customId },
    messages: [
      { role: 'user', content: content ?? `This is the text of ${customId}. Say something about it.` },
    ],
  },
});

/** An OpenAI batch line. */
export const chatLine = (customId: string, options: LineOptions = {}): string =>
  JSON.stringify(chatRequest(customId, options));

/** Ids `prefix0`, `prefix1`, ... */
export const ids = (count: number, prefix = 'line-'): readonly string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`);

/** The final lines of a file; none where there is no file. */
export const readFinalLines = async (path: string): Promise<readonly FinalLine[]> => {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  });
  return finalLinesIn(text);
};

/** The final lines of a text. */
export const finalLinesIn = (text: string): readonly FinalLine[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => finalLine.parse(JSON.parse(line)));

/** The `custom_id`s of final lines, in their order. */
export const customIdsOf = (lines: readonly FinalLine[]): readonly (string | null)[] =>
  lines.map((line) => line.custom_id);

/** The attempts behind final lines that did not succeed. */
export const failedAttempts = (lines: readonly FinalLine[]): FinalLine['nightshift']['attempts'] =>
  lines.flatMap(({ nightshift }) => nightshift.attempts).filter(({ outcome }) => outcome !== 'succeeded');
