/** What came with a 200: an answer that is of use, or a failure. */
import { classifyFailure } from './classify-failure.ts';
import type { ProviderSignal } from './evidence.ts';
import { readErrorBody } from './error-body.ts';
import type { AnswerFlaw, Failure } from './failure.ts';
import { isList, isRecord, memberAt, numberAt, parseLoosely, stringAt } from '../json/loose-json.ts';
import type { TokenUsage } from '../model.ts';
import { isModerationVerdict } from './moderation-verdict.ts';
import { shortReason } from './reason.ts';

/** What was asked, as far as it decides whether an answer is of use. */
export interface AskedFor {
  readonly wantsJson: boolean;
  /** The `max_tokens` that was sent. */
  readonly capTokens: number;
  /** Whether Nightshift chose the cap (from task or lane) rather than the user. */
  readonly isCapOurs: boolean;
  /** Everything that was asked, in words; asked for only where the answer looks like a moderation model's. */
  readonly promptText?: () => string;
}

/** An answer of use. */
export interface Answer {
  readonly kind: 'answer';
  /** The first choice's text; `null` where it consists of tool calls. */
  readonly text: string | null;
  /** `null` where the provider did not say. */
  readonly usage: TokenUsage | null;
  readonly finishReason: string | null;
  /** The model that says it answered, which need not be the one asked. */
  readonly model: string | null;
}

/** Judges a response with a 2xx status. Total: never throws, whatever the body holds. */
export function classifyAnswer(signal: ProviderSignal, asked: AskedFor): Answer | Failure {
  const body = parseLoosely(signal.bodyText);
  const choice = memberAt(body, 'choices', 0);
  if (!isRecord(body) || !isList(memberAt(body, 'choices'))) return classifyFailure(signal);
  if (isErrorChoice(choice)) return errorInside(signal, choice);
  if (choice === undefined && readErrorBody(signal.bodyText).hasError) return classifyFailure(signal);
  const answer = readAnswer(body, choice);
  const flaw = findFlaw(answer, choice, asked);
  if (flaw === null) return answer;
  return { kind: 'useless-answer', flaw, usage: answer.usage, reason: FLAW_REASONS[flaw] };
}

/** OpenRouter: an upstream that failed midway leaves an `error` in the choice. */
function isErrorChoice(choice: unknown): boolean {
  return isRecord(memberAt(choice, 'error')) || stringAt(choice, 'finish_reason') === 'error';
}

function errorInside(signal: ProviderSignal, choice: unknown): Failure {
  const words = stringAt(choice, 'error', 'message') ?? 'the provider ended the answer with an error';
  return {
    kind: 'sick',
    mayHaveWorked: true,
    isCutOff: true,
    retryAtMs: null,
    reason: shortReason(`HTTP ${signal.status}: ${words}`),
  };
}

function readAnswer(body: unknown, choice: unknown): Answer {
  const text = readText(memberAt(choice, 'message', 'content'));
  const usage = readUsage(body);
  const hasContent = (text ?? '') !== '' || hasToolCalls(choice);
  return {
    kind: 'answer',
    text,
    usage: hasContent && usage?.completionTokens === 0 ? null : usage,
    finishReason: stringAt(choice, 'finish_reason') ?? null,
    model: stringAt(body, 'model') ?? null,
  };
}

/** Content is a string, or parts of which the texts count (Mistral's reasoning models). */
function readText(content: unknown): string | null {
  if (typeof content === 'string') return content;
  if (!isList(content)) return null;
  return content.map((part) => stringAt(part, 'text') ?? '').join('');
}

/**
 * The usage a body reports, both directions, or `null`; also where it is of no prompt at all, which is what servers say that
 * do not count. Where the total is more than the sum (Gemini leaves its thinking tokens out of `completion_tokens`) the
 * difference is output.
 */
export function readUsage(body: unknown): TokenUsage | null {
  const promptTokens = tokenCount(body, 'prompt_tokens');
  const completionTokens = tokenCount(body, 'completion_tokens');
  if (promptTokens === null || promptTokens === 0 || completionTokens === null) return null;
  const totalTokens = tokenCount(body, 'total_tokens') ?? 0;
  return { promptTokens, completionTokens: Math.max(completionTokens, totalTokens - promptTokens) };
}

function tokenCount(body: unknown, name: string): number | null {
  const count = numberAt(body, 'usage', name);
  return count !== undefined && Number.isSafeInteger(count) && count >= 0 ? count : null;
}

const FLAW_REASONS: Readonly<Record<AnswerFlaw, string>> = {
  empty: 'the answer was empty',
  'truncated-by-our-cap': 'the answer was cut off at the output cap that Nightshift set',
  truncated: 'the answer was cut off before the output cap',
  refused: 'the model or its filter refused to answer',
  'moderation-verdict': 'a moderation model answered "safe" or "unsafe" in place of the model',
  'not-json': 'the answer was not the JSON that was asked for',
};

function findFlaw(answer: Answer, choice: unknown, asked: AskedFor): AnswerFlaw | null {
  if (isRefusal(answer, choice)) return 'refused';
  const cut = answer.finishReason === 'length' ? findCut(answer, asked) : null;
  if (cut !== null) return cut;
  if (hasToolCalls(choice)) return null;
  if (answer.text === null || answer.text.trim() === '') return 'empty';
  if (isModerationVerdict(answer.text, asked.promptText)) return 'moderation-verdict';
  return asked.wantsJson && !isContainer(parseLoosely(answer.text)) ? 'not-json' : null;
}

function isRefusal({ finishReason }: Answer, choice: unknown): boolean {
  const refusal = stringAt(choice, 'message', 'refusal') ?? '';
  return refusal !== '' || finishReason === 'content_filter';
}

/** Cut at the cap the user asked for is what the user asked for; cut well before any cap is the provider's doing. */
function findCut({ usage }: Answer, { isCapOurs, capTokens }: AskedFor): AnswerFlaw | null {
  const isShortOfCap = usage !== null && usage.completionTokens < capTokens * 0.9;
  if (isShortOfCap) return 'truncated';
  return isCapOurs ? 'truncated-by-our-cap' : null;
}

function hasToolCalls(choice: unknown): boolean {
  const calls = memberAt(choice, 'message', 'tool_calls');
  return isList(calls) && calls.length > 0;
}

function isContainer(value: unknown): boolean {
  return isRecord(value) || isList(value);
}
