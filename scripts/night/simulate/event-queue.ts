/** What happens when, in a simulation: events by time, those of one instant in the order in which they were pushed. */

/** Something that happens at an instant. */
export interface NightEvent {
  readonly atMs: number;
  readonly run: () => void;
}

/** Events that have not happened yet. */
export interface EventQueue {
  push(event: NightEvent): void;
  /** Takes the next one out; `null` where there is none. */
  pop(): NightEvent | null;
}

interface Placed extends NightEvent {
  readonly place: number;
}

/** An empty queue: a binary heap. */
export const openEventQueue = (): EventQueue => {
  const heap: Placed[] = [];
  let pushed = 0;
  return {
    push(event) {
      heap.push({ ...event, place: (pushed += 1) });
      rise(heap);
    },
    pop() {
      const first = heap[0] ?? null;
      const last = heap.pop();
      if (last === undefined || heap.length === 0) return first;
      heap[0] = last;
      sink(heap);
      return first;
    },
  };
};

/** Moves the last one up to its place. */
const rise = (heap: Placed[]): void => {
  let at = heap.length - 1;
  for (let up = (at - 1) >> 1; at > 0 && isBefore(heap, at, up); up = (at - 1) >> 1) {
    swap(heap, at, up);
    at = up;
  }
};

/** Moves the first one down to its place. */
const sink = (heap: Placed[]): void => {
  for (let at = 0; ;) {
    const [left, right] = [2 * at + 1, 2 * at + 2];
    const least = isBefore(heap, left, at) ? left : at;
    const next = isBefore(heap, right, least) ? right : least;
    if (next === at) return;
    swap(heap, at, next);
    at = next;
  }
};

const isBefore = (heap: readonly Placed[], a: number, b: number): boolean => {
  const [one, two] = [heap[a], heap[b]];
  if (one === undefined || two === undefined) return false;
  return one.atMs < two.atMs || (one.atMs === two.atMs && one.place < two.place);
};

const swap = (heap: Placed[], a: number, b: number): void => {
  const [one, two] = [heap[a], heap[b]];
  if (one === undefined || two === undefined) return;
  heap[a] = two;
  heap[b] = one;
};
