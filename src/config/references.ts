/**
 * Checks the names that pools and aliases give and take. It reads the file's data as it came, so that a fault
 * inside a provider does not make its lanes look unknown.
 */
import { CATALOG } from '../providers/catalog.ts';
import { retiredProvider } from '../providers/retired.ts';
import { declaredProviders, laneNames } from './declared.ts';
import { nearestNames } from '../core/nearest.ts';
import type { PathProblem } from './problems.ts';
import { ALL_POOL, READY_POOLS } from './ready-pools.ts';
import { retirement } from './relations.ts';
import type { ConfigFile, ModelEntry, ProviderEntry } from './schema.ts';

/** Pools and aliases that name nothing known, or take a name that is taken. */
export function checkReferences(data: unknown): readonly PathProblem[] {
  const lanes = laneNames(declaredProviders(namesOnly(data)));
  const pools = mapping(mapping(data)['pools']);
  const aliases = mapping(mapping(data)['aliases']);
  return [
    ...Object.entries(pools).flatMap(([name, list]) => checkPool(name, list, lanes)),
    ...Object.entries(aliases).flatMap(([name, target]) => checkAlias({ name, target, lanes, pools })),
  ];
}

type LaneNames = ReadonlyMap<string, string>;

function checkPool(name: string, list: unknown, lanes: LaneNames): readonly PathProblem[] {
  const path = ['pools', name];
  const entries: readonly unknown[] = Array.isArray(list) ? list : [];
  const ids = entries.map((entry) => (typeof entry === 'string' ? (lanes.get(entry) ?? entry) : entry));
  return [
    ...(name === ALL_POOL
      ? [{ path, message: 'made by Nightshift of every lane that is not paid; choose another name' }]
      : []),
    ...(lanes.has(name) ? [{ path, message: 'also the name of a lane; choose another name' }] : []),
    ...entries.flatMap((entry, index) => {
      if (typeof entry !== 'string') return [];
      if (!lanes.has(entry)) return [{ path: [...path, index], message: unknownLane(entry, lanes) }];
      const isRepeated = ids.indexOf(ids[index]) < index;
      return isRepeated ? [{ path: [...path, index], message: `\`${entry}\` is listed twice` }] : [];
    }),
  ];
}

function unknownLane(name: string, lanes: LaneNames): string {
  const [providerId = ''] = name.split('/', 1);
  const retired = retiredProvider(providerId);
  if (retired !== undefined) return `no lane \`${name}\`: ${retirement(retired)}`;
  const isDeclared = [...lanes.keys()].some((lane) => lane.startsWith(`${providerId}/`));
  if (!isDeclared && CATALOG.some(({ id }) => id === providerId)) {
    return `no lane \`${name}\`: \`${providerId}\` is not under \`providers\`; add it there`;
  }
  return unknown('lane', name, lanes.keys());
}

interface AliasCheck {
  readonly name: string;
  readonly target: unknown;
  readonly lanes: LaneNames;
  readonly pools: Readonly<Record<string, unknown>>;
}

function checkAlias({ name, target, lanes, pools }: AliasCheck): readonly PathProblem[] {
  const path = ['aliases', name];
  const poolNames = [...new Set([...Object.keys(pools), ...READY_POOLS])];
  const isTaken = lanes.has(name) ? 'lane' : poolNames.includes(name) ? 'pool' : undefined;
  const taken =
    isTaken === undefined ? [] : [{ path, message: `also the name of a ${isTaken}; choose another name` }];
  if (typeof target !== 'string' || target === '') return taken;
  if (lanes.has(target) || poolNames.includes(target)) return taken;
  return [...taken, { path, message: unknown('pool or lane', target, [...poolNames, ...lanes.keys()]) }];
}

function unknown(what: string, name: string, candidates: Iterable<string>): string {
  const [nearest] = nearestNames(name, candidates, 1);
  return nearest === undefined
    ? `no ${what} \`${name}\``
    : `no ${what} \`${name}\`; did you mean \`${nearest}\`?`;
}

/** Only the names of a file's providers and models, whatever shape the rest is in. */
function namesOnly(data: unknown): ConfigFile {
  const providers = mapping(data)['providers'];
  if (providers === null || providers === undefined) return { providers: undefined };
  return { providers: mapValues(mapping(providers), providerNames) };
}

function providerNames(entry: unknown): ProviderEntry {
  return { models: mapValues(mapping(mapping(entry)['models']), modelNames) };
}

function modelNames(entry: unknown): ModelEntry {
  const model = mapping(entry)['model'];
  return typeof model === 'string' ? { model } : {};
}

function mapping(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function mapValues<Value>(record: Readonly<Record<string, unknown>>, convert: (value: unknown) => Value) {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, convert(value)]));
}
