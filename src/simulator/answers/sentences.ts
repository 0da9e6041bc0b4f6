/** Cutting a text into sentences that can stand in a summary, with what scoring needs to know of each. */
import { countTokens } from './count-tokens.ts';
import { STOP_WORDS } from './stop-words.ts';

/** One sentence of a text. */
export interface Sentence {
  readonly text: string;
  /** Its place among all sentences, from 0. */
  readonly index: number;
  readonly tokens: number;
  readonly wordCount: number;
  /** Words that say something, in a crude common form; no stop words. */
  readonly contentWords: readonly string[];
}

const segmenter = new Intl.Segmenter('en', { granularity: 'sentence' });
const ENDS_IN_ABBREVIATION =
  /(?:^|[\s(])(?:Mr|Mrs|Ms|Dr|Messrs|Hon|Gen|Col|Capt|Lt|Sen|Rep|Gov|Prof|Rev|St|No|vs|etc|Jr|Sr|[A-Z]|U\.S|D\.C|i\.e|e\.g)\.\s*$/u;
const WORD = /\p{L}+(?:['’]\p{L}+)?/gu;
/** "Fellow-Citizens of the Senate and House of Representatives: Throughout the year ..." */
const SALUTATION =
  /^[^:]{0,200}\b(?:fellow[- ]citizens|fellow americans|gentlemen of)\b[^:]{0,160}:\s+(?=.{40})/iu;
const BLANK_LINE = /\n\s*\n/u;

/** The sentences of a text in order. Line breaks inside a paragraph are spaces; "Mr." ends no sentence. */
export function sentencesOf(text: string): readonly Sentence[] {
  return text
    .split(BLANK_LINE)
    .flatMap((paragraph) => cut(paragraph.replace(/\s+/gu, ' ').trim()))
    .map((sentence, index) => describe(sentence, index));
}

function cut(paragraph: string): string[] {
  const sentences: string[] = [];
  let open = '';
  for (const { segment } of segmenter.segment(paragraph)) {
    open += segment;
    if (ENDS_IN_ABBREVIATION.test(open)) continue;
    sentences.push(open.trim().replace(SALUTATION, ''));
    open = '';
  }
  return [...sentences, open.trim()].filter((sentence) => sentence !== '');
}

function describe(text: string, index: number): Sentence {
  const words = text.toLowerCase().match(WORD) ?? [];
  const contentWords = words.filter((word) => word.length > 2 && !STOP_WORDS.has(word)).map(commonForm);
  return { text, index, tokens: countTokens(text), wordCount: words.length, contentWords };
}

/** Plural and singular as one: enough for counting, not a stemmer. */
function commonForm(word: string): string {
  if (word.length > 4 && word.endsWith('ies')) return `${word.slice(0, -3)}y`;
  return word.length > 4 && word.endsWith('s') && !word.endsWith('ss') ? word.slice(0, -1) : word;
}
