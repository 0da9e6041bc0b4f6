/**
 * Where a text may be cut so that its tokens can be counted piece by piece: most pieces are words, which repeat, and
 * none is long, for tokenizers take time by the square of a run of letters.
 */

/**
 * Longest piece in UTF-16 units. A million random letters take 1.1 s in pieces of 128 and 1.6 s in pieces of 256, where base64
 * counts 0.2 % less.
 */
export const LONGEST_PIECE = 128;

const SPACE = 0x20;

/**
 * Where the piece ends that begins at `from`: 1 to {@link LONGEST_PIECE} units further on, at most at the text's end.
 *
 * A cut lies before a single space between two words (anything but white space). GPT's tokenizers split there too, so it
 * changes no count. Only where there is no such place within the longest piece is one made, though not within a pair of
 * surrogates.
 */
export function pieceEnd(text: string, from: number): number {
  const furthest = Math.min(text.length, from + LONGEST_PIECE);
  let follows = isWhiteSpace(text.charCodeAt(from));
  for (let index = from + 1; index < furthest; index += 1) {
    const isSpace = isWhiteSpace(text.charCodeAt(index));
    if (isSpace && !follows && isSpaceBeforeWord(text, index)) return index;
    follows = isSpace;
  }
  return isWithinPair(text, furthest) ? furthest - 1 : furthest;
}

function isSpaceBeforeWord(text: string, index: number): boolean {
  const next = index + 1;
  return text.charCodeAt(index) === SPACE && next < text.length && !isWhiteSpace(text.charCodeAt(next));
}

function isWithinPair(text: string, index: number): boolean {
  return (
    index < text.length && isHalf(text.charCodeAt(index - 1), 0xd8) && isHalf(text.charCodeAt(index), 0xdc)
  );
}

/** Whether a unit is the half of a pair that begins with these six bits. */
function isHalf(code: number, lead: number): boolean {
  return ((code >> 8) & 0xfc) === lead;
}

/** What `\s` matches, and all other control characters below it. */
function isWhiteSpace(code: number): boolean {
  if (code < 0x80) return code <= SPACE;
  return code === 0xa0 || (code >= 0x1680 && WIDE_SPACES.has(code));
}

const WIDE_SPACES: ReadonlySet<number> = new Set([
  0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200a, 0x2028,
  0x2029, 0x202f, 0x205f, 0x3000, 0xfeff,
]);
