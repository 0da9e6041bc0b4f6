/** Changes what a tier truly allows while it serves, as providers do without a word. */
import { describeLimit } from './describe-limit.ts';
import { isRecord } from './routes/chat-request.ts';
import type { World } from './state.ts';
import type { SimulatedMetric } from './tier.ts';
import { SIMULATED_METRICS } from './tier.ts';
import type { Meter } from './windows/meter.ts';
import { changeAmount } from './windows/meter.ts';

/** One limit, told by as much as it takes, and its amount from now on. */
export interface LimitChange {
  /** The tier's id. */
  readonly provider: string;
  /** Whose own limit it is; the provider's, which all its models share, unless said. */
  readonly model?: string;
  readonly metric: SimulatedMetric;
  /** Members of its window, such as `{ kind: 'rolling', perMs: 5000 }`; needed where several limits have the metric. */
  readonly window?: Readonly<Record<string, unknown>>;
  /** A positive integer. */
  readonly amount: number;
}

/** Puts the amount in force. What is used stays used. Throws an error that says which limits there are, unless one is meant. */
export function changeLimit(world: World, change: LimitChange): void {
  if (!(Number.isSafeInteger(change.amount) && change.amount > 0))
    throw new Error(`Expected \`amount\` to be a positive whole number, got \`${change.amount}\`.`);
  const there = metersOf(world, change);
  const [meant, ...others] = there.filter((meter) => isMeant(meter, change));
  if (meant === undefined || others.length > 0) {
    const known = there.map(({ limit }) => describeLimit(limit)).join(', ');
    const got = others.length > 0 ? `${others.length + 1}` : 'none';
    throw new Error(
      `Expected \`metric\` and \`window\` to mean one limit, got ${got}. There are: ${known || 'no limits'}.`,
    );
  }
  changeAmount(meant, change.amount, world.clock.nowMs());
}

function metersOf(world: World, { provider, model }: LimitChange): readonly Meter[] {
  const state = world.providers.get(provider);
  if (state === undefined)
    throw new Error(`Expected \`provider\` to be one of ${names(world.providers)}, got \`${provider}\`.`);
  if (model === undefined) return state.meters;
  const own = state.models.get(model)?.ownMeters;
  if (own === undefined)
    throw new Error(`Expected \`model\` to be one of ${names(state.models)}, got \`${model}\`.`);
  return own;
}

function names(byName: ReadonlyMap<string, unknown>): string {
  return [...byName.keys()].join(', ');
}

function isMeant({ limit }: Meter, { metric, window = {} }: LimitChange): boolean {
  const members = new Map<string, unknown>(Object.entries(limit.window));
  return (
    limit.metric === metric && Object.entries(window).every(([name, value]) => members.get(name) === value)
  );
}

/** A change that came from outside as JSON. Throws an error that says what is wrong with it. */
export function readLimitChange(value: unknown): LimitChange {
  if (!isRecord(value)) throw new Error('Expected a JSON object with `provider`, `metric` and `amount`.');
  const { provider, model, window } = value;
  const metric = SIMULATED_METRICS.find((known) => known === value['metric']);
  if (typeof provider !== 'string') throw new Error('Expected `provider` to be the id of a tier.');
  if (metric === undefined)
    throw new Error(`Expected \`metric\` to be one of ${SIMULATED_METRICS.join(', ')}.`);
  if (model !== undefined && typeof model !== 'string') throw new Error('Expected `model` to be a text.');
  if (window !== undefined && !isRecord(window))
    throw new Error('Expected `window` to be an object such as { "kind": "rolling", "perMs": 5000 }.');
  return {
    provider,
    ...(model === undefined ? {} : { model }),
    metric,
    ...(window === undefined ? {} : { window }),
    amount: Number(value['amount']),
  };
}
