/** What a simulated model says: a real summary of the text it was given, within `max_tokens`. */
import type { ChatMessage, ChatRequest } from '../routes/chat-request.ts';
import { countTokens, takeTokens } from './count-tokens.ts';
import { jsonAnswer } from './json-answer.ts';
import { cutToTokens, summarise } from './summarise.ts';

/** One finished answer. `length` as finish reason means that it was cut at the cap. */
export interface Answer {
  readonly content: string;
  readonly completionTokens: number;
  readonly finishReason: 'stop' | 'length';
}

/** A summary is no longer than this, whatever the cap. */
const SUMMARY_MAX_TOKENS = 220;
/** And no longer than this share of the text. */
const SUMMARY_RATIO = 0.35;
/** Texts up to this long are given back as they are. */
const ECHO_MAX_TOKENS = 40;
const DOCUMENT = /<(document|text|article|content)\b[^>]*>([\s\S]*?)<\/\1>/iu;

/** Answers within `maxTokens`. The same request has the same answer. */
export function answerTo(request: ChatRequest, maxTokens: number): Answer {
  const text = subjectOf(request.messages);
  if (request.form.kind === 'text') return finish(telling(text, maxTokens), maxTokens);
  const { schema } = request.form;
  const contentFor = (summaryTokens: number) => jsonAnswer(telling(text, summaryTokens), schema);
  return finish(shrinkToFit(contentFor, maxTokens), maxTokens);
}

/** The text to summarise: inside `<document>` or its like in the last user message, else that whole message. */
export function subjectOf(messages: readonly ChatMessage[]): string {
  const message = messages.findLast((candidate) => candidate.role === 'user') ?? messages.at(-1);
  const text = message?.text ?? '';
  return (DOCUMENT.exec(text)?.[2] ?? text).trim();
}

function telling(text: string, maxTokens: number): string {
  const tokens = countTokens(text);
  if (tokens <= ECHO_MAX_TOKENS) return cutToTokens(text, maxTokens);
  const wishedTokens = Math.max(ECHO_MAX_TOKENS, Math.round(tokens * SUMMARY_RATIO));
  return summarise(text, { maxTokens: Math.min(maxTokens, SUMMARY_MAX_TOKENS, wishedTokens) });
}

/** JSON costs tokens of its own: the summary inside is made shorter until the whole fits, or as short as it gets. */
function shrinkToFit(contentFor: (summaryTokens: number) => string, maxTokens: number): string {
  let content = '';
  for (let tokens = Math.min(maxTokens, SUMMARY_MAX_TOKENS); tokens >= 1; tokens = Math.floor(tokens / 2)) {
    content = contentFor(tokens);
    if (countTokens(content) <= maxTokens) break;
  }
  return content;
}

function finish(content: string, maxTokens: number): Answer {
  const tokens = countTokens(content);
  if (tokens <= maxTokens) return { content, completionTokens: tokens, finishReason: 'stop' };
  const cut = takeTokens(content, maxTokens);
  return { content: cut, completionTokens: countTokens(cut), finishReason: 'length' };
}
