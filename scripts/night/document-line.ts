/**
 * A document as a line of the input, with exactly the tokens that the night gives it, by the simulator's count.
 *
 * Its bulk is a system message, which the simulator only counts; the text that it answers is the user's, and as short as
 * the answer allows. Words are common and short, each one token of the simulator and of o200k alike.
 */
import { hash } from 'node:crypto';
import { seededRandom } from '../../src/simulator/clock.ts';
import type { NightDocument } from './night.ts';

/** A message as it is sent. */
export interface DocumentMessage {
  readonly role: 'system' | 'user';
  readonly content: string;
}

/** What the simulator charges for each message beside its text. */
const MESSAGE_TOKENS = 4;
/** Up to so many tokens a text is given back whole. */
const ECHO_TOKENS = 40;
/** Of a longer one a summary has this share. */
const SUMMARY_RATIO = 0.35;

const WORDS =
  'the of and to in is it for on as by at we or an be if so up do go no me my us tea sun day man dog cat sea sky red big old new way out all not but can had her his one our two who did its let put say she too use';
const VOCABULARY = WORDS.split(' ');

/** The messages of a document's call. Throws where the night asks for an answer that no simulated model gives. */
const messagesOf = (document: NightDocument): readonly DocumentMessage[] => {
  const { id, promptTokens, answerTokens } = document;
  const questionTokens =
    answerTokens <= ECHO_TOKENS ? answerTokens : Math.round(answerTokens / SUMMARY_RATIO);
  const bulkTokens = promptTokens - 2 * MESSAGE_TOKENS - questionTokens;
  if (bulkTokens < 1)
    throw new Error(
      `Expected the prompt of ${id} to be long enough for an answer of ${answerTokens} tokens, got ${promptTokens}.`,
    );
  const random01 = seededRandom(seedOf(id));
  return [
    { role: 'system', content: wordsOf(bulkTokens, random01) },
    { role: 'user', content: wordsOf(questionTokens, random01) },
  ];
};

/** Documents of one size differ, so that the provider's log tells them apart. */
const seedOf = (id: string): number => Number.parseInt(hash('sha256', id).slice(0, 8), 16);

const wordsOf = (count: number, random01: () => number): string =>
  Array.from({ length: count }, () => VOCABULARY[Math.floor(random01() * VOCABULARY.length)] ?? 'the').join(
    ' ',
  );

/** The body of a document's call. */
export interface DocumentBody {
  readonly model: string;
  readonly max_tokens: number;
  readonly messages: DocumentMessage[];
}

/** The body of a document's call to a model. */
export const bodyOf = (document: NightDocument, model: string): DocumentBody => ({
  model,
  max_tokens: document.capTokens,
  messages: [...messagesOf(document)],
});

/** Its line in the form of the OpenAI Batch API. */
export const lineOf = (document: NightDocument, model: string): string =>
  JSON.stringify({
    custom_id: document.id,
    method: 'POST',
    url: '/v1/chat/completions',
    body: bodyOf(document, model),
  });
