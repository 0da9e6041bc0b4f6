/**
 * Remembers at which line each custom id came first, in flat memory: a million ids take some 25 MB, and the texts
 * themselves four times as much. By a hash of 53 bits, so that of a million different ids two are taken for equal once in
 * 20,000 inputs: good enough to count by, not to decide what becomes of a line.
 */

/** Ids and their first lines. */
export interface FirstLines {
  /** The line at which the id came first, from 1; this one, if it is new. */
  firstOf(customId: string, lineNumber: number): number;
}

const INITIAL_SLOTS = 1_024;
/** Probing stays short while a quarter of the slots is free. */
const FULLEST = 0.75;

/** Remembers nothing yet. */
export const rememberFirstLines = (): FirstLines => {
  let hashes = new Float64Array(INITIAL_SLOTS);
  let lines = new Uint32Array(INITIAL_SLOTS);
  let count = 0;
  const grow = (): void => {
    const [oldHashes, oldLines] = [hashes, lines];
    hashes = new Float64Array(oldHashes.length * 2);
    lines = new Uint32Array(oldHashes.length * 2);
    for (const [old, line] of oldLines.entries()) {
      if (line === 0) continue;
      const hash = oldHashes[old] ?? 0;
      const slot = slotOf(hash, hashes, lines);
      hashes[slot] = hash;
      lines[slot] = line;
    }
  };
  return {
    firstOf(customId, lineNumber) {
      const hash = hashOf(customId);
      const slot = slotOf(hash, hashes, lines);
      const known = lines[slot] ?? 0;
      if (known !== 0) return known;
      hashes[slot] = hash;
      lines[slot] = lineNumber;
      count += 1;
      if (count > hashes.length * FULLEST) grow();
      return lineNumber;
    },
  };
};

/** Where a hash is, or would be; a line of 0 is an empty slot. */
const slotOf = (hash: number, hashes: Float64Array, lines: Uint32Array): number => {
  let slot = hash % hashes.length;
  while (lines[slot] !== 0 && hashes[slot] !== hash) slot = (slot + 1) % hashes.length;
  return slot;
};

const WORD = 2 ** 32;
const HIGH_BITS = 2 ** 21;

/** 53 bits: two multiplicative hashes over the UTF-16 units, each mixed with the other at the end (cyrb53). */
const hashOf = (text: string): number => {
  let [low, high] = [0xdeadbeef, 0x41c6ce57];
  for (let place = 0; place < text.length; place += 1) {
    const unit = text.charCodeAt(place);
    low = Math.imul(low ^ unit, 2_654_435_761);
    high = Math.imul(high ^ unit, 1_597_334_677);
  }
  low = mixed(low, high);
  high = mixed(high, low);
  return ((high >>> 0) % HIGH_BITS) * WORD + (low >>> 0);
};

const mixed = (own: number, other: number): number =>
  Math.imul(own ^ (own >>> 16), 2_246_822_507) ^ Math.imul(other ^ (other >>> 13), 3_266_489_909);
