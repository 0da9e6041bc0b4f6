/** What the catalog knows of prices, in the units that are reckoned with. */
import { parseDollars } from '../core/money/nano-dollars.ts';
import type { NamedPrice } from '../core/money/price.ts';
import type { Price } from '../core/model.ts';
import type { CatalogProvider, Prices } from './catalog-provider.ts';
import { CATALOG } from './catalog.ts';

/** The price of a model by the vendor's own id; `undefined` where no page says it. */
export function catalogPrice(provider: CatalogProvider, model: string): Price | undefined {
  const known = provider.models.find((shipped) => shipped.model === model);
  const prices = provider.prices?.[model] ?? known?.prices;
  return prices === undefined ? undefined : priceOf(prices);
}

/** Every model of the catalog whose price is known, as `provider/model` with the vendor's own id. */
export const CATALOG_PRICES: readonly NamedPrice[] = CATALOG.flatMap((provider) =>
  [...provider.models.map(({ model }) => model), ...Object.keys(provider.prices ?? {})].flatMap((model) => {
    const price = catalogPrice(provider, model);
    return price === undefined ? [] : [{ name: `${provider.id}/${model}`, price }];
  }),
);

function priceOf({ input, output }: Prices): Price {
  return {
    inputNanoDollarsPerMillion: nanoDollarsOf(input),
    outputNanoDollarsPerMillion: nanoDollarsOf(output),
    requestNanoDollars: 0,
  };
}

function nanoDollarsOf(dollars: number): number {
  const nanoDollars = parseDollars(String(dollars));
  if (nanoDollars !== null) return nanoDollars;
  throw new Error(`Expected a price of the catalog to be dollars with at most 6 decimals, got ${dollars}.`);
}
