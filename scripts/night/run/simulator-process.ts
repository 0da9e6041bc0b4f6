/** The simulated providers of a night, in a process of their own: `node simulator-process.ts NIGHT.json RATE`. */
import { readFile } from 'node:fs/promises';
import { startSimulator } from '../../../src/simulator/start-simulator.ts';
import type { SimulatorStats } from '../../../src/simulator/stats.ts';
import { readNight } from '../night-file.ts';
import { compressedFaults, compressedTiers } from './compressed.ts';
import { settableClock } from './night-clock.ts';
import type { FromSimulator, SimulatorLook, ToSimulator } from './simulator-messages.ts';

const lookAt = ({ nowMs, providers }: SimulatorStats): SimulatorLook => {
  const all = Object.values(providers);
  const sumOf = (count: 'calls' | 'succeeded' | 'rejected' | 'failed'): number =>
    all.reduce((sum, provider) => sum + provider[count], 0);
  return {
    nowMs,
    calls: sumOf('calls'),
    succeeded: sumOf('succeeded'),
    rejected: sumOf('rejected'),
    failed: sumOf('failed'),
  };
};

const say = (message: FromSimulator): void => void process.send?.(message);

const main = async (): Promise<void> => {
  const [, , path = '', rateText = ''] = process.argv;
  const rate = Number(rateText);
  const night = readNight(await readFile(path, 'utf8'));
  const clock = settableClock();
  const simulator = await startSimulator({
    tiers: compressedTiers(night.tiers, rate),
    faults: compressedFaults(night.faults, rate),
    clock,
    seed: night.seed + 1,
  });
  const answerTo = (message: ToSimulator): FromSimulator => {
    switch (message.kind) {
      case 'begin':
        clock.set(message.setting);
        simulator.reset();
        return { kind: 'begun' };
      case 'look':
        return { kind: 'looked', ...lookAt(simulator.stats()) };
      case 'calls':
        return { kind: 'called', calls: simulator.calls() };
    }
  };
  process.on('message', (message: ToSimulator) => say(answerTo(message)));
  process.once('disconnect', () => void simulator.close());
  say({ kind: 'listening', url: simulator.url });
};

// The terminal tells every process of a Ctrl-C; this one ends with the bench.
process.on('SIGINT', () => {});
await main();
