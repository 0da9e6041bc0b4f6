/** What a service warns of, as whoever watches one of its batches is told. */
import { oneLine } from './text/width.ts';

/** Says each warning once, however often the service gives it. */
export const sayingOnce = (say: (message: string) => void): ((warnings: readonly string[]) => void) => {
  const said = new Set<string>();
  return (warnings) => {
    for (const warning of warnings) {
      if (!said.has(warning)) say(`warning: ${oneLine(warning)}`);
      said.add(warning);
    }
  };
};
