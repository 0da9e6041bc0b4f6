/** Finds the lanes that the model of a line stands for. */
import type { Config } from './config.ts';
import { nearestNames } from '../core/nearest.ts';

/** The lanes, in order of preference, or the names that resemble what was asked for. */
export type ModelResolution =
  | { readonly kind: 'lanes'; readonly laneIds: readonly string[] }
  | { readonly kind: 'not-found'; readonly nearest: readonly string[] };

/** The parts of a configuration that names are looked up in. */
export type Names = Pick<Config, 'providers' | 'pools' | 'aliases'>;

const SUGGESTIONS = 3;

/**
 * What `name` stands for: a pool, else an alias, else a lane, else a bare model id that lanes of any provider
 * have, those that are not paid first. A lane and a model may go by the short name or the vendor's own
 * (`groq/gpt-oss-20b`, `groq/openai/gpt-oss-20b`). Case matters.
 */
export function resolveModel(config: Names, name: string): ModelResolution {
  const target = config.aliases.find((alias) => alias.name === name)?.target ?? name;
  const pool = poolNamed(config, name) ?? poolNamed(config, target);
  if (pool !== undefined) return { kind: 'lanes', laneIds: pool.laneIds };
  const byLane = lanesBy(config, (lane) => lane.laneNames, target);
  const laneIds = byLane.length > 0 ? byLane : lanesBy(config, (lane) => lane.modelNames, target);
  return laneIds.length > 0
    ? { kind: 'lanes', laneIds }
    : { kind: 'not-found', nearest: namesNear(config, name) };
}

function poolNamed({ pools }: Names, name: string) {
  return pools.find((pool) => pool.name === name);
}

interface LaneNames {
  readonly laneId: string;
  readonly laneNames: readonly string[];
  readonly modelNames: readonly string[];
}

function lanesBy(config: Names, namesOf: (lane: LaneNames) => readonly string[], name: string) {
  return namedLanes(config)
    .filter((lane) => namesOf(lane).includes(name))
    .map(({ laneId }) => laneId);
}

function namedLanes({ providers }: Names): readonly LaneNames[] {
  const unpaidFirst = providers.toSorted((a, b) => Number(a.tier === 'paid') - Number(b.tier === 'paid'));
  return unpaidFirst.flatMap(({ id, lanes }) =>
    lanes.map((lane) => ({
      laneId: lane.id,
      laneNames: [lane.id, `${id}/${lane.model}`],
      modelNames: [lane.id.slice(id.length + 1), lane.model],
    })),
  );
}

function namesNear(config: Names, name: string): readonly string[] {
  const lanes = namedLanes(config).flatMap(({ laneId, modelNames }) => [laneId, ...modelNames]);
  const names = [
    ...config.pools.map((pool) => pool.name),
    ...config.aliases.map((alias) => alias.name),
    ...lanes,
  ];
  return nearestNames(name, names, SUGGESTIONS);
}
