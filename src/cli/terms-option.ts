/** The terms of a batch, from the options of the command line. */
import { requireTerms } from '../app/adopt-terms.ts';
import { machineTimeZone } from '../app/machine-time-zone.ts';
import type { AskedTerms } from '../core/batch-terms.ts';

/** Options of every command that submits. */
export interface TermsFlags {
  readonly between?: string | undefined;
  readonly priority?: number | undefined;
  readonly deadline?: string | undefined;
  readonly timeZone?: string | undefined;
}

/** The terms as they were typed, by the clock of this machine unless a zone was. @throws BatchRefused for terms that make no sense. */
export function readTermsFlags({ between, priority, deadline, timeZone }: TermsFlags): AskedTerms {
  const asked = {
    between: between ?? null,
    priority: priority ?? null,
    deadline: deadline ?? null,
    timeZone: timeZone ?? machineTimeZone(),
  };
  requireTerms(asked);
  return asked;
}
