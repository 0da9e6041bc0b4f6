/** How far a run is, told on standard error from time to time. */
import { asCount, asRatio } from '../../bench/figures.ts';
import type { Night } from '../night.ts';
import type { RunFigures } from './measure.ts';
import { asNightTime } from './night-time.ts';
import type { SimulatedProviders } from './simulated-providers.ts';

const TELL_EVERY_MS = 15_000;

/** Somebody who tells how far a run is. */
export interface ProgressTeller extends Disposable {
  begin(): void;
  end(figures: RunFigures | null, ratio: number): void;
}

/** Tells it from `begin` until it is disposed. */
export const tellProgress = (title: string, night: Night, providers: SimulatedProviders): ProgressTeller => {
  const tell = async (): Promise<void> => {
    const { nowMs, calls, succeeded, rejected, failed } = await providers.look();
    if (calls === 0) return;
    console.error(
      `${title}: ${asNightTime(nowMs - night.startsAtMs)}, ${asCount(succeeded)} of ${asCount(night.documents.length)} answered, ${rejected} rejected, ${failed} failed`,
    );
  };
  let timer: NodeJS.Timeout | undefined;
  return {
    begin() {
      timer = setInterval(() => void tell().catch(() => {}), TELL_EVERY_MS);
    },
    end(figures, ratio) {
      const timeText = figures === null ? 'no answer' : asNightTime(figures.makespanMs);
      console.error(`${title}: ended after ${timeText}, ratio ${asRatio(ratio)}`);
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
};
