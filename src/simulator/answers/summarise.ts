/**
 * An extractive summariser: the few sentences that carry the most of what a text keeps coming back to, in the
 * text's own order. SumBasic (Nenkova and Vanderwende, 2005): a sentence is worth the mean frequency of its
 * content words, and the words of a chosen sentence are worth less to the next. Pure and without chance.
 */
import { countTokens, takeTokens } from './count-tokens.ts';
import type { Sentence } from './sentences.ts';
import { sentencesOf } from './sentences.ts';

/** Bounds of a summary. */
export interface SummaryBounds {
  /** Never exceeded, counted as `countTokens` counts. */
  readonly maxTokens: number;
  /** Default 5. */
  readonly maxSentences?: number;
}

const DEFAULT_MAX_SENTENCES = 5;
/** Up to this many sentences a text is its own summary. */
const SHORT_ENOUGH_SENTENCES = 2;
/** What a word is still worth after a sentence with it was chosen: high enough to keep to the subject. */
const REPEATED_WORD_WORTH = 0.35;
const BOILERPLATE =
  /^(?:thank you|god bless|may god|good (?:evening|night)|fellow[- ]citizens\b.{0,60}[:.]$|\(?applause|\[?laughter|page \d|copyright|all rights reserved|click here|subscribe)/iu;
const HANGS_ON_THE_SENTENCE_BEFORE =
  /^["“']?(?:but|and|or|so|yet|it|he|she|they|these|those|this|that|such|there|thus|hence|for this|then)\b/iu;

/** The most telling sentences of `text`. Very short texts come back whole; nothing ever exceeds the bounds. */
export function summarise(text: string, bounds: SummaryBounds): string {
  const sentences = sentencesOf(text);
  const whole = sentences.map((sentence) => sentence.text).join(' ');
  if (sentences.length <= SHORT_ENOUGH_SENTENCES) return cutToTokens(whole, bounds.maxTokens);
  const chosen = choose(sentences, bounds).toSorted((left, right) => left.index - right.index);
  if (chosen.length > 0) return chosen.map((sentence) => sentence.text).join(' ');
  return cutToTokens(best(sentences, frequencies(sentences))?.text ?? whole, bounds.maxTokens);
}

/** A prefix of at most `maxTokens` tokens that ends at a word, with an ellipsis if anything is missing. */
export function cutToTokens(text: string, maxTokens: number): string {
  if (countTokens(text) <= maxTokens) return text;
  const prefix = takeTokens(text, Math.max(0, maxTokens - 1));
  const atWord = /\s/u.test(text.charAt(prefix.length)) ? prefix : prefix.replace(/\S+$/u, '');
  const kept = (atWord.trim() === '' ? prefix : atWord).trimEnd();
  return maxTokens > 0 ? `${kept}…` : '';
}

function choose(sentences: readonly Sentence[], bounds: SummaryBounds): Sentence[] {
  const worth = frequencies(sentences);
  const chosen: Sentence[] = [];
  let candidates = sentences.filter(canStandAlone);
  let tokensLeft = bounds.maxTokens;
  while (chosen.length < (bounds.maxSentences ?? DEFAULT_MAX_SENTENCES)) {
    candidates = candidates.filter((sentence) => sentence.tokens <= tokensLeft && !chosen.includes(sentence));
    const next = best(candidates, worth);
    if (next === undefined) break;
    chosen.push(next);
    tokensLeft -= next.tokens;
    for (const word of new Set(next.contentWords))
      worth.set(word, (worth.get(word) ?? 0) * REPEATED_WORD_WORTH);
  }
  return chosen;
}

function canStandAlone(sentence: Sentence): boolean {
  return (
    sentence.contentWords.length >= 3 && !sentence.text.endsWith('?') && !BOILERPLATE.test(sentence.text)
  );
}

function frequencies(sentences: readonly Sentence[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const sentence of sentences) {
    for (const word of sentence.contentWords) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return counts;
}

function best(sentences: readonly Sentence[], worth: ReadonlyMap<string, number>): Sentence | undefined {
  const lastIndex = Math.max(1, sentences.at(-1)?.index ?? 1);
  let top: { readonly sentence: Sentence; readonly score: number } | undefined;
  for (const sentence of sentences) {
    const score = contentScore(sentence, worth) * shapeFactor(sentence, sentence.index / lastIndex);
    if (top === undefined || score > top.score) top = { sentence, score };
  }
  return top?.sentence;
}

/** Mean worth of the distinct content words; the addend keeps three lucky words from beating a full sentence. */
function contentScore(sentence: Sentence, worth: ReadonlyMap<string, number>): number {
  const words = new Set(sentence.contentWords);
  let sum = 0;
  for (const word of words) sum += Math.sqrt(worth.get(word) ?? 0);
  return sum / (words.size + 4);
}

/** Openings and endings say what a text is for; 10-40 words read well; a dangling "But it" does not. */
function shapeFactor(sentence: Sentence, position01: number): number {
  const place = position01 < 0.12 || position01 > 0.92 ? 1.2 : 1;
  const length = sentence.wordCount < 10 ? 0.8 : Math.min(1, 40 / Math.max(1, sentence.wordCount));
  return place * length * (HANGS_ON_THE_SENTENCE_BEFORE.test(sentence.text) ? 0.6 : 1);
}
