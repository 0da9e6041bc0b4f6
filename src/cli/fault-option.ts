/** `--fault sim-groq:http-500,after=6`: how simulated providers misbehave. */
import { InvalidArgumentError } from 'commander';
import { readFaultRules } from '../simulator/faults/check-faults.ts';
import type { FaultRule } from '../simulator/faults/fault.ts';

/** What may follow the kind, and the rule's member it stands for. */
const MEMBERS: Readonly<Record<string, keyof FaultRule>> = {
  model: 'model',
  parameter: 'parameter',
  after: 'afterCalls',
  count: 'count',
  every: 'everyNth',
  from: 'fromMs',
  until: 'untilMs',
  probability: 'probability',
  wait: 'waitMs',
  latency: 'latencyMs',
};
const TEXTS: readonly string[] = ['model', 'parameter'];

/** Adds the rule of one `--fault` to those before it; refuses what no simulated tier would understand. */
export function faultRule(spec: string, before: readonly FaultRule[] = []): readonly FaultRule[] {
  const [place = '', ...conditions] = spec.split(',');
  const colon = place.indexOf(':');
  if (colon < 1) {
    throw new InvalidArgumentError(
      `Expected TIER:KIND such as sim-groq:http-500, got ${JSON.stringify(spec)}.`,
    );
  }
  const rule = Object.fromEntries([
    ['provider', place.slice(0, colon)],
    ['kind', place.slice(colon + 1)],
    ...conditions.map(condition),
  ]);
  try {
    return [...before, ...readFaultRules([rule])];
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
}

function condition(text: string): readonly [string, string | number] {
  const [, key = '', value = ''] = /^([^=]*)=(.*)$/u.exec(text) ?? [];
  const member = MEMBERS[key];
  if (member === undefined || value === '') {
    throw new InvalidArgumentError(
      `Expected conditions such as after=6 (known: ${Object.keys(MEMBERS).join(', ')}), got ${JSON.stringify(text)}.`,
    );
  }
  return [member, TEXTS.includes(member) ? value : Number(value)];
}
