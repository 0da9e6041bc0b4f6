/** Bands of prompt sizes, by which requests are counted and planned. The record counts by the same. */

/** Three an octave: prompts of one band differ by a quarter at most. */
const BANDS_PER_OCTAVE = 3;

/** The band of a prompt: one more for every third of an octave. */
export const bandOf = (promptTokens: number): number =>
  Math.floor(BANDS_PER_OCTAVE * Math.log2(promptTokens + 1));

/** The smallest and the largest prompt of a band, in tokens. */
export const bandRange = (band: number): { readonly fromTokens: number; readonly toTokens: number } => ({
  fromTokens: firstOf(band),
  toTokens: firstOf(band + 1) - 1,
});

const firstOf = (band: number): number => {
  let first = Math.max(0, Math.floor(2 ** (band / BANDS_PER_OCTAVE)) - 2);
  while (bandOf(first) < band) first += 1;
  return first;
};
