/** A simulated provider that asks for money, and what it would bill by its own count. */
import { readFile } from 'node:fs/promises';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { MODEL } from './providers.ts';
import type { Stage } from './stage.ts';

/** Dollars per million tokens. */
export interface DollarPrice {
  readonly input: number;
  readonly output: number;
}

const configShape = z.looseObject({
  providers: z.record(z.string(), z.looseObject({ models: z.record(z.string(), z.looseObject({})) })),
});

/** Has the stage's configuration say that the provider is paid, and what its model costs. */
export const declarePaid = async (stage: Stage, providerId: string, price: DollarPrice): Promise<void> => {
  const { providers, ...others } = configShape.parse(
    parse(await readFile(stage.path('nightshift.yaml'), 'utf8')),
  );
  const paid = {
    ...providers[providerId],
    tier: 'paid',
    models: { [MODEL]: { ...providers[providerId]?.models[MODEL], price } },
  };
  await stage.write('nightshift.yaml', [
    stringify({ ...others, providers: { ...providers, [providerId]: paid } }),
  ]);
};

/** What it would bill for all calls so far, in billionths of a dollar. */
export const billNanoDollars = (stage: Stage, providerId: string, price: DollarPrice): number =>
  stage.simulator
    .calls()
    .filter((call) => call.provider === providerId)
    .reduce(
      (sum, { promptTokens, completionTokens }) =>
        sum + (promptTokens * price.input + completionTokens * price.output) * 1_000,
      0,
    );
