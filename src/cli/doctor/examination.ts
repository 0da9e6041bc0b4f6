/** What is known of one provider when it is judged: a type alone. */
import type { Probe } from '../../adapters/openai/probe-provider.ts';
import type { Closing } from '../../app/health-book.ts';
import type { LimitUse } from '../../app/progress.ts';
import type { Provider } from '../../core/model.ts';

/** What is known of a provider when it is judged. */
export interface Examination {
  readonly provider: Provider;
  /** `null` where it was not asked, because the call might have counted. */
  readonly probe: Probe | null;
  /** Whether an answer tells that the key is right. */
  readonly provesKey: boolean;
  /** Of the provider or its lanes, and perhaps others. */
  readonly closings: readonly Closing[];
  /** Limits that refusals have lowered, of the provider or its lanes, and perhaps others. */
  readonly lowered: readonly LimitUse[];
  readonly nowMs: number;
}
