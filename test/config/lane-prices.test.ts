import { describe, expect, test } from 'vitest';
import { problemsOf, resolve } from './resolve.ts';

const vendor = (tier: string, price: string): string => `providers:
  vendor:
    baseUrl: http://127.0.0.1:1/v1
    apiKeyEnv: VENDOR_KEY
    tier: ${tier}
    models:
      m: { contextTokens: 9, maxOutputTokens: 9 }
      n:
        contextTokens: 9
        maxOutputTokens: 9
        price: ${price}
`;

const lanesOf = (text: string) => resolve(text, { VENDOR_KEY: 'k' }).providers[0]?.lanes ?? [];

describe('a price', () => {
  test('is dollars per million tokens, and per call where that is said', () => {
    expect(lanesOf(vendor('paid', '{ input: 0.05, output: 0.40, request: 0.005 }'))[1]?.price).toEqual({
      inputNanoDollarsPerMillion: 50_000_000,
      outputNanoDollarsPerMillion: 400_000_000,
      requestNanoDollars: 5_000_000,
    });
    expect(lanesOf(vendor('trial', '{ input: 0, output: 0.000001 }'))[1]?.price).toEqual({
      inputNanoDollarsPerMillion: 0,
      outputNanoDollarsPerMillion: 1_000,
      requestNanoDollars: 0,
    });
  });

  const FORM = 'expected US dollars from 0 to 1000 with at most 6 decimals, such as 0.05';
  test.each([
    ['{ input: -1, output: 1 }', [`11: providers.vendor.models.n.price.input: ${FORM}, got -1`]],
    ['{ input: 1, output: 1001 }', [`11: providers.vendor.models.n.price.output: ${FORM}, got 1001`]],
    [
      '{ input: 0.0000001, output: .inf }',
      [
        `11: providers.vendor.models.n.price.input: ${FORM}, got 1e-7`,
        `11: providers.vendor.models.n.price.output: ${FORM}, got Infinity`,
      ],
    ],
    ['{ input: "$1", output: 1 }', [`11: providers.vendor.models.n.price.input: ${FORM}, got "$1"`]],
    ['{ input: 1 }', [`11: providers.vendor.models.n.price.output: missing; ${FORM}`]],
    [
      '{ input: 1, output: 1, outptu: 1 }',
      ['11: providers.vendor.models.n.price.outptu: unknown key; did you mean `output`?'],
    ],
    ['5', ['11: providers.vendor.models.n.price: expected a mapping, got 5']],
  ])('%s is refused at its place', (price, problems) => {
    expect(problemsOf(vendor('paid', price))).toEqual(problems.map((text) => `nightshift.yaml:${text}`));
  });

  test.each(['free', 'local'])('does not belong to tier %s', (tier) => {
    expect(problemsOf(vendor(tier, '{ input: 1, output: 1 }'))).toEqual([
      `nightshift.yaml:11: providers.vendor.models.n.price: belongs to tier \`paid\` or \`trial\`, and \`vendor\` is \`${tier}\`: take it out, or say \`tier: paid\``,
    ]);
  });
});

describe('a paid lane without a price', () => {
  test('is named in a warning with the way out, since nothing is ever sent to it', () => {
    const { warnings } = resolve(vendor('paid', '{ input: 1, output: 1 }'), { VENDOR_KEY: 'k' });
    expect(warnings).toEqual([
      'Nothing is sent to vendor/m: vendor is paid, and no price is known. Say it in dollars per million tokens, such as `price: { input: 0.05, output: 0.40 }`.',
    ]);
    expect(resolve(vendor('trial', '{ input: 1, output: 1 }'), { VENDOR_KEY: 'k' }).warnings).toEqual([]);
  });
});
