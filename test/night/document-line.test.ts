import fc from 'fast-check';
import { expect, test } from 'vitest';
import { chanceOf } from '../../scripts/night/chance.ts';
import { bodyOf, lineOf } from '../../scripts/night/document-line.ts';
import { documentsOf } from '../../scripts/night/documents.ts';
import type { NightDocument } from '../../scripts/night/night.ts';
import { countTokens } from '../../src/adapters/tokens/count-tokens.ts';
import { answerTo } from '../../src/simulator/answers/answer.ts';
import { type ChatRequest, parseChat } from '../../src/simulator/routes/chat-request.ts';

const requestOf = (document: NightDocument): ChatRequest => {
  const parsed = parseChat(JSON.stringify(bodyOf(document, 'model')));
  if (parsed.kind !== 'request') throw new Error(`Expected a readable body, got: ${parsed.message}`);
  return parsed.request;
};

const someDocuments = (seed: number, medianTokens: number): readonly NightDocument[] =>
  documentsOf(
    5,
    {
      medianTokens,
      sigma: 1,
      shortestTokens: 60,
      longestTokens: 4_000,
      medianAnswerTokens: 90,
      capTokens: 250,
    },
    chanceOf(seed),
  );

const anyDocuments = fc
  .tuple(fc.integer({ min: 1, max: 1_000 }), fc.integer({ min: 80, max: 2_000 }))
  .map(([seed, medianTokens]) => someDocuments(seed, medianTokens));

test("the simulator counts exactly the night's tokens, of the prompt and of its own answer", () => {
  fc.assert(
    fc.property(anyDocuments, (documents) => {
      for (const document of documents) {
        const request = requestOf(document);
        const answer = answerTo(request, document.capTokens);
        expect(request.promptTokens).toBe(document.promptTokens);
        expect(answer.completionTokens).toBe(document.answerTokens);
        expect(answer.finishReason).toBe('stop');
        expect(request.maxTokens).toBe(document.capTokens);
      }
    }),
    { numRuns: 40 },
  );
});

test('o200k counts the texts as the simulator does', () => {
  for (const document of someDocuments(7, 600)) {
    const texts = bodyOf(document, 'model').messages.map(({ content }) => content);
    const tokens = countTokens(texts).reduce((sum, count) => sum + count, 0);
    // Each of the two messages has four more, for its role.
    expect(tokens).toBe(document.promptTokens - 8);
  }
});

test('documents of one size have different texts', () => {
  const document = { promptTokens: 300, answerTokens: 30, capTokens: 100 };
  const hashes = ['a', 'b', 'c'].map((id) => requestOf({ ...document, id }).messagesHash);
  expect(new Set(hashes).size).toBe(3);
});

test('a line is one of the Batch API, under the name of its document', () => {
  const line: unknown = JSON.parse(
    lineOf({ id: 'd1', promptTokens: 80, answerTokens: 20, capTokens: 60 }, 'small'),
  );
  expect(line).toMatchObject({
    custom_id: 'd1',
    method: 'POST',
    url: '/v1/chat/completions',
    body: { model: 'small', max_tokens: 60 },
  });
});

test('an answer that is too long for its prompt is refused', () => {
  const document = { id: 'd1', promptTokens: 100, answerTokens: 90, capTokens: 100 };
  expect(() => bodyOf(document, 'model')).toThrow('Expected the prompt of d1 to be long enough');
});
