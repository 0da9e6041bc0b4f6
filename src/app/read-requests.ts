/** From raw lines to rows of the record: each line judged, measured and routed; the reasons of those refused are kept. */
import { type BadLine, notUtf8Line, tooLongLine } from '../core/lines/bad-line.ts';
import type { ModelResolution } from '../core/lines/chat-request.ts';
import { type InputLine, parseInputLine, type RequestLine } from '../core/lines/input-line.ts';
import { bodyOfLine } from '../core/lines/line-form.ts';
import { canEverServe, largestCallTokens } from '../core/matching.ts';
import { badLine } from '../core/lines/output-line.ts';
import { policyText } from '../core/policy-text.ts';
import type { Policy } from '../core/policy.ts';
import type { Task } from '../core/tasks/task.ts';
import { DEFAULT_OUTPUT_TOKENS, reservedOutputTokens } from '../core/tokens/reserved-output.ts';
import { mostPromptTokens } from '../core/money/most-prompt-tokens.ts';
import { NO_PROMPT } from '../core/tokens/prompt-parts.ts';
import { measurePrompts } from './measure-prompts.ts';
import { oneAhead } from './one-ahead.ts';
import { routingUnder, whyNothingServes } from './batch-policy.ts';
import { BatchRefused } from './batches.ts';
import type { IngestRow } from './batch-store.ts';
import type { Routing } from './ports.ts';
import type { TokenCounter } from './token-counter.ts';

/** A line as the file holds it. */
export type RawLine =
  | { readonly kind: 'text'; readonly lineNumber: number; readonly text: string }
  | { readonly kind: 'too-long'; readonly lineNumber: number; readonly byteLength: number }
  | { readonly kind: 'not-utf8'; readonly lineNumber: number };

/** What the lines are read for. */
export interface ReadingPolicy {
  readonly task: Task | null;
  /** `--pool`: overrules the models that lines name. */
  readonly pool: string | null;
  /** Which lanes may serve a line, whatever its model; `null`: any. */
  readonly policy: Policy | null;
  /** `null`: no paid lane may serve a line. */
  readonly maxCostNanoDollars: number | null;
  /** Where documents go without `--pool`. */
  readonly documentPool: string;
  /** Reads no further than this many requests; `null` reads all. */
  readonly limit: number | null;
  readonly resolveModel: (name: string) => ModelResolution;
  /** Told of each line that is refused because no lane of its pool can ever take it. */
  readonly tooLarge?: (poolName: string, need: RequestNeed) => void;
}

/** What a request needs of a lane, in tokens as they are counted here. */
export type RequestNeed = Parameters<typeof canEverServe>[2];

/** Why lines could not be taken: the first few of them, and how many in all. */
export interface Reasons {
  readonly first: readonly string[];
  readonly count: number;
}

/** How many reasons are shown to a person. */
export const REASONS_SHOWN = 10;

/** Reads raw lines for one batch. */
export class RequestReader {
  readonly #policy: ReadingPolicy;
  readonly #routing: Routing;
  readonly #tokens: TokenCounter;
  readonly #reasons: string[] = [];
  #badCount = 0;
  #goodCount = 0;

  constructor(policy: ReadingPolicy, routing: Routing, tokens: TokenCounter) {
    this.#policy = policy;
    this.#routing = routing;
    this.#tokens = tokens;
  }

  /** Why lines were refused so far. */
  get reasons(): Reasons {
    return { first: this.#reasons, count: this.#badCount };
  }

  /** Lines that can run so far. */
  get goodCount(): number {
    return this.#goodCount;
  }

  /**
   * Rows for the record, as many at a time as there were lines, the next ones read and counted while these are used.
   * Blank lines vanish.
   */
  rows(lines: AsyncIterable<readonly RawLine[]>): AsyncGenerator<readonly IngestRow[], void> {
    return oneAhead(this.#pages(lines));
  }

  async *#pages(lines: AsyncIterable<readonly RawLine[]>): AsyncGenerator<readonly IngestRow[], void> {
    for await (const some of lines) {
      yield await this.#page(some);
      if (this.#isFull()) return;
    }
  }

  async #page(raws: readonly RawLine[]): Promise<readonly IngestRow[]> {
    const lines = raws.map((raw) => ({ raw, line: this.#parse(raw) }));
    const measured = await measurePrompts(this.#tokens, lines, ({ line }) =>
      line.kind === 'request' ? line.prompt : NO_PROMPT,
    );
    const rows: IngestRow[] = [];
    for (const [{ raw, line }, promptTokens] of measured) {
      if (this.#isFull()) break;
      const row = this.#row(raw, line, promptTokens);
      if (row !== null) rows.push(row);
    }
    return rows;
  }

  #isFull(): boolean {
    const { limit } = this.#policy;
    return limit !== null && this.#goodCount >= limit;
  }

  #row(raw: RawLine, line: InputLine, promptTokens: number): IngestRow | null {
    if (line.kind === 'blank') return null;
    if (line.kind === 'bad') return this.#refuse(line);
    return raw.kind === 'text' ? this.#route(line, promptTokens, raw.text) : null;
  }

  #parse(raw: RawLine): InputLine {
    const { task, pool, resolveModel } = this.#policy;
    switch (raw.kind) {
      case 'too-long':
        return tooLongLine(raw.lineNumber, raw.byteLength);
      case 'not-utf8':
        return notUtf8Line(raw.lineNumber);
      case 'text':
        return parseInputLine(raw.text, raw.lineNumber, {
          task,
          hasPoolOverride: pool !== null,
          resolveModel,
        });
    }
  }

  #route(line: RequestLine, promptTokens: number, text: string): IngestRow {
    const poolName = this.#policy.pool ?? line.model ?? this.#policy.documentPool;
    const need = {
      promptTokens,
      outputTokens:
        line.isCapRequested && line.maxTokens !== null
          ? reservedOutputTokens(line.maxTokens)
          : (line.maxTokens ?? DEFAULT_OUTPUT_TOKENS),
      outputIsAsked: line.isCapRequested,
    };
    const tooLarge = this.#whyUnservable(line.lineNumber, poolName, need);
    if (tooLarge !== null) {
      this.#policy.tooLarge?.(poolName, need);
      const { lineNumber, customId } = line;
      return this.#refuse({
        kind: 'bad',
        lineNumber,
        customId,
        code: 'request_unservable',
        message: tooLarge,
        param: null,
      });
    }
    this.#goodCount += 1;
    return {
      ...need,
      mostPromptTokens: mostPromptTokens(bodyOfLine(text, this.#policy.task)),
      lineNumber: line.lineNumber,
      customId: line.customId,
      line: text,
      poolName,
      state: 'pending',
    };
  }

  /**
   * Why no lane of the pool can ever take a request of that size; `null` if one can.
   *
   * @throws BatchRefused where only money is missing: every such line would have to be submitted again.
   */
  #whyUnservable(lineNumber: number, poolName: string, need: RequestNeed): string | null {
    const { policy } = this.#policy;
    const lanes = routingUnder(this.#policy, this.#routing).lanesOf(poolName);
    const why = lanes.length > 0 ? null : whyNothingServes(this.#policy, this.#routing, poolName);
    if (why?.kind === 'money')
      throw new BatchRefused('invalid', `line ${lineNumber}: ${why.message} Nothing was taken in.`);
    if (why !== null) return why.message;
    let largest = 0;
    let longestAnswer = 0;
    for (const lane of lanes) {
      const provider = this.#routing.provider(lane.providerId);
      if (provider === undefined) continue;
      if (canEverServe(provider, lane, need)) return null;
      largest = Math.max(largest, largestCallTokens(provider, lane));
      longestAnswer = Math.max(longestAnswer, lane.maxOutputTokens);
    }
    return `It needs up to ${need.promptTokens} prompt and ${need.outputTokens} output tokens; the lanes of \`${poolName}\`${policy === null ? '' : ` that \`${policyText(policy)}\` leaves`} take at most ${largest} together, at most ${longestAnswer} of them as output. Shorten or split it, ask for a shorter answer, or add a larger lane.`;
  }

  #refuse(bad: BadLine): IngestRow {
    this.#badCount += 1;
    if (this.#reasons.length < REASONS_SHOWN)
      this.#reasons.push(`line ${bad.lineNumber}: ${bad.code}: ${bad.message}`);
    return {
      ...NOT_RUN,
      lineNumber: bad.lineNumber,
      customId: bad.customId,
      line: badLine(lineId(bad.lineNumber), bad),
    };
  }
}

const NOT_RUN = {
  poolName: null,
  promptTokens: 0,
  mostPromptTokens: null,
  outputTokens: 0,
  outputIsAsked: false,
  state: 'bad',
} as const;

/** The `id` of a final line that no request stands behind. */
export const lineId = (lineNumber: number): string => `batch_req_line_${lineNumber}`;
