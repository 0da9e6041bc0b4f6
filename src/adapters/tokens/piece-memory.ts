/** What pieces of text counted before. Words repeat, and to look one up takes 0.1 microseconds, to count it 7. */

/** Enough for the words of several languages: 10 MB of addresses have 64,000 different pieces. Takes 1.5 MB. */
const SLOTS = 2 ** 18;

/** Counts the piece of a text from one index to another, or remembers what it was. */
export type CountPiece = (text: string, from: number, end: number) => number;

/**
 * Remembers counts. A piece has one place, which the next one of that place takes over, so memory is flat; it is known
 * by 50 bits of hash, so one look-up in 10^9 or so is another piece's, which an estimate can bear.
 */
export const remembering = (countAnew: (piece: string) => number): CountPiece => {
  const marks = new Uint32Array(SLOTS);
  const counts = new Uint16Array(SLOTS);
  return (text, from, end) => {
    let place = 0x811c9dc5;
    let mark = end - from;
    for (let index = from; index < end; index += 1) {
      const code = text.charCodeAt(index);
      // FNV-1a, and the multiplier of MurmurHash2.
      place = Math.imul(place ^ code, 0x01000193);
      mark = Math.imul(mark + code, 0x5bd1e995) ^ (mark >>> 15);
    }
    const slot = (place ^ (place >>> 15)) & (SLOTS - 1);
    const known = marks[slot] === mark >>> 0 ? (counts[slot] ?? 0) : 0;
    // No piece counts 0, but an empty place does.
    if (known > 0) return known;
    const count = countAnew(text.slice(from, end));
    marks[slot] = mark;
    counts[slot] = count;
    return count;
  };
};
