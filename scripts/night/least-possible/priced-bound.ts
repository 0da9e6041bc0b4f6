/**
 * What no way to make the calls can exceed, proven by prices. The programme knows documents by classes only; its prices,
 * whatever they are, bound what can be done with the documents themselves (weak duality): what has been done has been
 * paid for at every place, and nobody can pay more than all capacities are worth.
 */
import type { NightDocument } from '../night.ts';
import { type NightLane, shortestCallMs, type Span } from './night-lanes.ts';
import { isInTime, type Place, placesOf, type RangeRow } from './programme.ts';
import type { SizeClass } from './size-classes.ts';

/** A row with what a unit of its capacity is worth, from 0, in documents. */
export interface PricedRow {
  readonly row: RangeRow;
  readonly price: number;
}

/** What the bound is about. */
export interface Pricing {
  readonly rows: readonly PricedRow[];
  readonly classes: readonly SizeClass[];
  /** Of a lane's tier. */
  readonly segmentsOf: (lane: NightLane) => readonly Span[];
  readonly endsAtMs: number;
}

/** At most so many of the documents can be done by `endsAtMs`; not rounded. */
export const mostDocuments = ({ rows: all, classes, segmentsOf, endsAtMs }: Pricing): number => {
  const rows = all.filter(({ price }) => price > 0);
  const worth = rows.reduce((sum, { row, price }) => sum + price * row.capacity, 0);
  const lanes = new Set(classes.flatMap((one) => one.lanes));
  const places = [...lanes].flatMap((lane) =>
    placesOf(lane, segmentsOf(lane)).map((place) => ({
      place,
      rows: rows.filter(({ row }) => holdsAt(row, place)),
    })),
  );
  const gains = classes.flatMap((one) => {
    const open = places.filter(({ place }) => one.lanes.includes(place.lane));
    return one.documents.map((document) => {
      const costs = open
        .filter(({ place }) => isInTime(place, shortestCallMs(place.lane, document), endsAtMs))
        .map((priced) => costAt(priced.place, priced.rows, document));
      return Math.max(0, 1 - Math.min(Number.POSITIVE_INFINITY, ...costs));
    });
  });
  return worth + gains.reduce((sum, gain) => sum + gain, 0);
};

const holdsAt = ({ bound, from, until }: RangeRow, { lane, segment }: Place): boolean =>
  from <= segment && segment <= until && bound.lanes.includes(lane);

const costAt = ({ lane }: Place, rows: readonly PricedRow[], document: NightDocument): number =>
  rows.reduce((sum, { row, price }) => sum + price * row.bound.demand.of(document, lane), 0);
