/** How a provider is asked whether a key works. */
import type { Provider } from '../../core/model.ts';
import { catalogProvider } from '../../providers/catalog.ts';
import type { KeyCheck } from '../../providers/catalog-provider.ts';

/** What OpenAI's own interface has, and so most servers that speak like it. */
const LIST_OF_MODELS: KeyCheck = { path: '/models', provesKey: true };

/** One call, and whether it may count against a quota. */
export interface PlannedCheck extends KeyCheck {
  readonly mayCount: boolean;
}

/**
 * The one call to make; `null` where every call counts, or none is known that does not, unless such calls are asked for.
 * A provider of the user's own and a local server are asked for their models.
 *
 * @param known What the catalog knows of the provider.
 */
export function planCheck(
  { id, tier }: Provider,
  { all }: { readonly all: boolean },
  known: KeyCheck | null | undefined = catalogProvider(id)?.keyCheck,
): PlannedCheck | null {
  if (known === undefined || (known === null && tier === 'local'))
    return { ...LIST_OF_MODELS, mayCount: false };
  if (known !== null) return { ...known, mayCount: false };
  return all ? { ...LIST_OF_MODELS, mayCount: true } : null;
}
