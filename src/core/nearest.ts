/** "Did you mean": the known names nearest to one that is not known. */

/** Longer names are compared by their first characters only, which bounds the work per pair. */
const COMPARED_CHARACTERS = 96;

/**
 * The known names most like `name`, best first, at most `atMost`; empty where nothing is near. Near means at most a
 * third of the longer name has to be edited (case aside), or one of the two contains the other: a model id without
 * its provider finds the lane.
 */
export function nearestNames(name: string, known: Iterable<string>, atMost = 3): readonly string[] {
  const wanted = normalise(name);
  if (wanted === '') return [];
  return [...new Set(known)]
    .map((candidate) => ({ candidate, distance: nameDistance(wanted, normalise(candidate)) }))
    .filter(({ distance }) => Number.isFinite(distance))
    .toSorted((a, b) => a.distance - b.distance || (a.candidate < b.candidate ? -1 : 1))
    .slice(0, atMost)
    .map(({ candidate }) => candidate);
}

function normalise(name: string): string {
  return name.trim().toLowerCase().slice(0, COMPARED_CHARACTERS);
}

/** Shortest containment worth a suggestion: `a` is in nearly every name. */
const SHORTEST_CONTAINED = 3;

/** Edits between two names; half an edit for containment, so that it follows only a near-exact match; else infinite. */
function nameDistance(wanted: string, candidate: string): number {
  const bound = Math.max(1, Math.floor(Math.max(wanted.length, candidate.length) / 3));
  const edits = editDistance(wanted, candidate);
  if (edits <= 1) return edits;
  if (contains(wanted, candidate) || contains(candidate, wanted)) return 1.5;
  return edits <= bound ? edits : Infinity;
}

function contains(outer: string, inner: string): boolean {
  return inner.length >= SHORTEST_CONTAINED && outer.includes(inner);
}

/** Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment) from `a` to `b`. */
export function editDistance(a: string, b: string): number {
  let beforeLast: readonly number[] = [];
  let last: readonly number[] = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const substitution = at(last, column - 1) + (a[row - 1] === b[column - 1] ? 0 : 1);
      const swap = isSwap(a, b, row, column) ? at(beforeLast, column - 2) + 1 : Infinity;
      current.push(Math.min(substitution, swap, at(last, column) + 1, at(current, column - 1) + 1));
    }
    beforeLast = last;
    last = current;
  }
  return at(last, b.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Infinity;
}

function isSwap(a: string, b: string, row: number, column: number): boolean {
  return row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
}
