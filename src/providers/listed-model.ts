/** Models as providers list them: an id, two sizes, and one piece of evidence for all of a list. */
import type { CatalogLimit, CatalogModel, Evidence, Purpose } from './catalog-provider.ts';
import { CAREFUL_OUTPUT_TOKENS } from './defaults.ts';

/** Prompt and output together, then the largest output, in tokens; the second is left out where it is not published. */
export type Sizes = readonly [contextTokens: number, maxOutputTokens?: number];

/**
 * Makes the models of one list: `model('vendor/name', [131_072, 8_192], 'small')` is the lane `name`, called as
 * `vendor/name`. An output size that is not published becomes a careful guess, and says so.
 */
export function modelsListedBy(evidence: Evidence, limits: readonly CatalogLimit[] = []) {
  return (name: string, sizes: Sizes, ...suits: readonly Purpose[]): CatalogModel => {
    const [contextTokens, maxOutputTokens] = sizes;
    return {
      id: name.slice(name.lastIndexOf('/') + 1),
      model: name,
      contextTokens,
      maxOutputTokens: maxOutputTokens ?? CAREFUL_OUTPUT_TOKENS,
      limits,
      suits,
      ...evidence,
      ...(maxOutputTokens === undefined ? OUTPUT_UNKNOWN : {}),
    };
  };
}

const OUTPUT_UNKNOWN = {
  confidence: 'low',
  note: 'The largest output is not published; 8,192 is a careful guess.',
} as const;
