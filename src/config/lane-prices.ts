/** What calls on lanes cost: what the file says, else what the catalog knows; and what is wrong with either. */
import type { Price, Provider, Tier } from '../core/model.ts';
import { catalogPrice } from '../providers/prices.ts';
import { declaredModels } from './declared.ts';
import type { DeclaredModel, DeclaredProvider } from './declared.ts';
import type { PathProblem } from './problems.ts';

/** The price of a lane that is called as `vendorModel`; `undefined` on tiers without prices, and where nobody has said. */
export function lanePrice(
  { entry: provider, catalog }: DeclaredProvider,
  { entry }: DeclaredModel,
  { tier, vendorModel }: { readonly tier: Tier; readonly vendorModel: string },
): Price | undefined {
  if (!hasPrices(tier)) return undefined;
  const { price } = entry;
  if (price !== undefined) {
    return {
      inputNanoDollarsPerMillion: price.input,
      outputNanoDollarsPerMillion: price.output,
      requestNanoDollars: price.request ?? 0,
    };
  }
  // The catalog's prices are those of its own address.
  return catalog === undefined || provider.baseUrl !== undefined
    ? undefined
    : catalogPrice(catalog, vendorModel);
}

/** Prices on tiers that cost nothing. */
export function checkPrices(provider: DeclaredProvider): readonly PathProblem[] {
  const tier = provider.entry.tier ?? provider.catalog?.tier;
  if (tier === undefined || hasPrices(tier)) return [];
  return declaredModels(provider)
    .filter(({ entry }) => entry.enabled !== false && entry.price !== undefined)
    .map(({ id, key }) => ({
      path: ['providers', provider.id, 'models', key ?? id, 'price'],
      message: `belongs to tier \`paid\` or \`trial\`, and \`${provider.id}\` is \`${tier}\`: take it out, or say \`tier: paid\``,
    }));
}

/** One sentence per paid provider with lanes whose price nobody has said: they are never called. */
export function priceWarnings(providers: readonly Provider[]): readonly string[] {
  return providers.flatMap(({ id, tier, lanes }) => {
    const unpriced = lanes.filter(({ price }) => price === undefined).map((lane) => lane.id);
    if (tier !== 'paid' || unpriced.length === 0) return [];
    return [
      `Nothing is sent to ${unpriced.join(', ')}: ${id} is paid, and no price is known. Say it in dollars per million tokens, such as \`price: { input: 0.05, output: 0.40 }\`.`,
    ];
  });
}

function hasPrices(tier: Tier): boolean {
  return tier === 'paid' || tier === 'trial';
}
