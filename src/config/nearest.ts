/** Finds what a mistyped name was probably meant to be. */

/** Edits within which one short word still resembles another. */
const ALWAYS_CLOSE = 2;

/**
 * The candidates that resemble `word`, nearest first, at most `count`. A candidate resembles it when a third of
 * the word's letters or fewer differ, or when one contains the other.
 */
export function nearestTo(word: string, candidates: Iterable<string>, count: number): readonly string[] {
  const wanted = word.toLowerCase();
  const farthest = Math.max(ALWAYS_CLOSE, Math.floor(wanted.length / 3));
  return [...new Set(candidates)]
    .map((candidate) => ({ candidate, distance: resemblance(wanted, candidate.toLowerCase()) }))
    .filter(({ candidate, distance }) => distance <= farthest && distance < candidate.length)
    .toSorted((a, b) => a.distance - b.distance || a.candidate.localeCompare(b.candidate))
    .slice(0, count)
    .map(({ candidate }) => candidate);
}

/** ` did you mean \`x\`?` for the nearest candidate, or what may stand there when nothing is near. */
export function suggestion(word: string, candidates: readonly string[]): string {
  const [nearest] = nearestTo(word, candidates, 1);
  if (nearest !== undefined) return `did you mean \`${nearest}\`?`;
  return candidates.length === 0 ? 'none is known' : `known: ${candidates.join(', ')}`;
}

/** Shortest word for which being a part of the other counts as resemblance. */
const TELLING_PART = 4;

function resemblance(a: string, b: string): number {
  const distance = editDistance(a, b);
  const [shorter, longer] = a.length < b.length ? [a, b] : [b, a];
  const isPart = shorter.length >= TELLING_PART && longer.includes(shorter);
  return isPart ? Math.min(distance, ALWAYS_CLOSE) : distance;
}

/** Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`. */
export function editDistance(a: string, b: string): number {
  let beforePrevious: readonly number[] = [];
  let previous: readonly number[] = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = nextRow({ a, b, row, previous, beforePrevious });
    beforePrevious = previous;
    previous = current;
  }
  return previous[b.length] ?? 0;
}

interface RowInput {
  readonly a: string;
  readonly b: string;
  readonly row: number;
  readonly previous: readonly number[];
  readonly beforePrevious: readonly number[];
}

function nextRow({ a, b, row, previous, beforePrevious }: RowInput): readonly number[] {
  const current = [row];
  for (let column = 1; column <= b.length; column += 1) {
    const replaced = at(previous, column - 1) + (a[row - 1] === b[column - 1] ? 0 : 1);
    const swaps = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
    const swapped = swaps ? at(beforePrevious, column - 2) + 1 : Infinity;
    current.push(Math.min(replaced, swapped, at(previous, column) + 1, at(current, column - 1) + 1));
  }
  return current;
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Infinity;
}
