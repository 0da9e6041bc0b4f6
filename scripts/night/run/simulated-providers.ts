/** The simulated providers of a night in a process of their own, so that their work does not take the time of what is measured. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { CallRecord } from '../../../src/simulator/call-log.ts';
import type { ClockSetting } from '../../../src/simulator/clock.ts';
import type { FromSimulator, SimulatorLook, ToSimulator } from './simulator-messages.ts';

/** Running providers. Disposing ends their process. */
export interface SimulatedProviders extends AsyncDisposable {
  readonly url: string;
  /** From now on their clock goes by this setting, nothing is used, and faults count from now. */
  begin(setting: ClockSetting): Promise<void>;
  look(): Promise<SimulatorLook>;
  /** Every ended call. */
  calls(): Promise<readonly CallRecord[]>;
}

const PROGRAM = fileURLToPath(new URL('simulator-process.ts', import.meta.url));

/** Starts them on the night of a file. */
export const startProviders = async (nightFile: string, rate: number): Promise<SimulatedProviders> => {
  const child = fork(PROGRAM, [nightFile, String(rate)], { serialization: 'advanced' });
  const waiting: ((message: FromSimulator) => void)[] = [];
  child.on('message', (message: FromSimulator) => waiting.shift()?.(message));
  const ended = once(child, 'exit').then(() => {
    throw new Error('Expected the simulated providers to go on, but their process ended.');
  });
  // It ends with us, when nobody listens any more.
  ended.catch(() => {});
  const next = async (): Promise<FromSimulator> =>
    await Promise.race([new Promise<FromSimulator>((resolve) => waiting.push(resolve)), ended]);
  const ask = async (message: ToSimulator): Promise<FromSimulator> => {
    const answer = next();
    child.send(message);
    return await answer;
  };
  const listening = await next();
  if (listening.kind !== 'listening') throw unexpected('listening', listening);
  return {
    url: listening.url,
    async begin(setting) {
      const answer = await ask({ kind: 'begin', setting });
      if (answer.kind !== 'begun') throw unexpected('begun', answer);
    },
    async look() {
      const answer = await ask({ kind: 'look' });
      if (answer.kind !== 'looked') throw unexpected('looked', answer);
      return answer;
    },
    async calls() {
      const answer = await ask({ kind: 'calls' });
      if (answer.kind !== 'called') throw unexpected('called', answer);
      return answer.calls;
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
};

const unexpected = (wanted: FromSimulator['kind'], got: FromSimulator): Error =>
  new Error(`Expected the simulated providers to say \`${wanted}\`, got \`${got.kind}\`.`);
