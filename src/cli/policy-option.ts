/** The policy of a batch, from the options of the command line. */
import { type Policy, policyOf } from '../core/policy.ts';

/** Options of every command that submits. */
export interface PolicyFlags {
  /** Commander's reading of `--no-training`: true unless it is given. */
  readonly training?: boolean | undefined;
  readonly region?: readonly string[] | undefined;
  readonly only?: readonly string[] | undefined;
  readonly except?: readonly string[] | undefined;
}

/** The policy that was asked for; `null` where none was. */
export function readPolicy({ training, region, only, except }: PolicyFlags): Policy | null {
  return policyOf({
    forbidsTraining: training === false,
    regions: region ?? [],
    only: only ?? [],
    except: except ?? [],
  });
}
