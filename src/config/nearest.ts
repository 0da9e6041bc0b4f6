/** What an unknown name in the configuration was probably meant to be, as part of a message. */
import { nearestNames } from '../core/nearest.ts';

/** ` did you mean \`x\`?` for the nearest candidate, or what may stand there when nothing is near. */
export function suggestion(word: string, candidates: readonly string[]): string {
  const [nearest] = nearestNames(word, candidates, 1);
  if (nearest !== undefined) return `did you mean \`${nearest}\`?`;
  return candidates.length === 0 ? 'none is known' : `known: ${candidates.join(', ')}`;
}
