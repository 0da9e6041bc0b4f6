/** Chooses how a run is shown. */
import type { CliContext } from '../context.ts';
import { liveDisplay, type Terminal } from './live-display.ts';
import { plainDisplay } from './plain-display.ts';
import { quietDisplay, type RunDisplay } from './run-display.ts';

/** A live display on a terminal, plain lines elsewhere, or nothing but what it is told to say. */
export function openDisplay({ stderr }: CliContext, isQuiet: boolean): RunDisplay {
  const say = (message: string): void => void stderr.write(`${message}\n`);
  if (isQuiet) return quietDisplay(say);
  return isTerminal(stderr) ? liveDisplay(stderr) : plainDisplay(say);
}

function isTerminal(screen: CliContext['stderr']): screen is Terminal {
  return screen.isTTY === true && screen.columns !== undefined && screen.columns > 0;
}
