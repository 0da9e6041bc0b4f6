/** What processes cost while a measurement runs: memory and CPU time, read from `/proc`. Elsewhere there is nothing to read. */
import { readdirSync, readFileSync } from 'node:fs';

/** One process, or several that share their memory. */
export interface Watched {
  readonly name: string;
  /** The processes of the moment. */
  readonly pids: () => readonly number[];
  /**
   * `resident`: the resident set; its peak is the kernel's own. `proportional`: the sum of the proportional set sizes,
   * in which shared pages are counted once; its peak is the largest that was seen.
   */
  readonly memory: 'resident' | 'proportional';
}

/** What a watched group came to. NaN where the system does not say. */
export interface Usage {
  readonly name: string;
  readonly peakBytes: number;
  /** The mean of what was seen. */
  readonly meanBytes: number;
  readonly cpuMs: number;
}

/** A watch that goes on until it is stopped. */
export interface ProcessWatch {
  stop(): readonly Usage[];
}

const LOOK_EVERY_MS = 200;
/** Adding up the pages of a PostgreSQL takes the kernel some milliseconds, so not at every look. */
const LOOKS_PER_PROPORTIONAL = 5;
/** Linux counts CPU time for `/proc` in hundredths of a second on every platform that Node supports. */
const MS_PER_TICK = 10;
const KIBIBYTE = 1024;

/** Starts watching. CPU time counts from here on, a process's peak from its own start. */
export const watchProcesses = (groups: readonly Watched[]): ProcessWatch => {
  const tallies = groups.map((group) => new Tally(group));
  let looks = 0;
  const look = (): void => {
    for (const tally of tallies) tally.look(looks % LOOKS_PER_PROPORTIONAL === 0);
    looks += 1;
  };
  look();
  const timer = setInterval(look, LOOK_EVERY_MS);
  return {
    stop() {
      clearInterval(timer);
      looks = 0;
      look();
      return tallies.map((tally) => tally.usage());
    },
  };
};

class Tally {
  readonly #group: Watched;
  readonly #cpuMs = new Map<number, { readonly from: number; readonly to: number }>();
  readonly #seenBytes: number[] = [];
  #peakBytes = 0;
  #isFirstLook = true;

  constructor(group: Watched) {
    this.#group = group;
  }

  look(withProportional: boolean): void {
    const pids = this.#group.pids();
    if (this.#group.memory === 'resident') {
      this.#note(sum(pids.map(residentBytes)), sum(pids.map(peakResidentBytes)));
    } else if (withProportional) {
      const bytes = sum(pids.map(proportionalBytes));
      this.#note(bytes, bytes);
    }
    for (const pid of pids) {
      const to = cpuMs(pid);
      // A process that is new since the watch began is counted from its start.
      const from = this.#cpuMs.get(pid)?.from ?? (this.#isFirstLook ? to : 0);
      if (Number.isFinite(to)) this.#cpuMs.set(pid, { from, to });
    }
    this.#isFirstLook = false;
  }

  usage(): Usage {
    const cpu = [...this.#cpuMs.values()];
    const seen = this.#seenBytes;
    return {
      name: this.#group.name,
      peakBytes: seen.length === 0 ? Number.NaN : this.#peakBytes,
      meanBytes: sum(seen) / seen.length,
      cpuMs: cpu.length === 0 ? Number.NaN : sum(cpu.map(({ from, to }) => to - from)),
    };
  }

  /** Nothing is noted of processes that are gone, or not there yet. */
  #note(bytes: number, peakBytes: number): void {
    if (bytes === 0) return;
    this.#seenBytes.push(bytes);
    this.#peakBytes = Math.max(this.#peakBytes, peakBytes);
  }
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** A process and all that it has started and that is still its child. */
export const familyOf = (pid: number): readonly number[] => {
  const children = listProcesses().filter((other) => parentOf(other) === pid);
  return [pid, ...children];
};

/** The parent of a process; `undefined` if it is gone. */
export const parentOf = (pid: number): number | undefined => {
  const parent = statFields(pid)[1];
  return parent === undefined ? undefined : Number(parent);
};

const listProcesses = (): number[] => {
  try {
    return readdirSync('/proc')
      .map(Number)
      .filter((pid) => pid > 0);
  } catch {
    return [];
  }
};

const residentBytes = (pid: number): number => kibibytesIn(`/proc/${pid}/status`, /^VmRSS:\s+(\d+) kB/mu);

const peakResidentBytes = (pid: number): number => kibibytesIn(`/proc/${pid}/status`, /^VmHWM:\s+(\d+) kB/mu);

const proportionalBytes = (pid: number): number =>
  kibibytesIn(`/proc/${pid}/smaps_rollup`, /^Pss:\s+(\d+) kB/mu);

/** A figure in bytes; 0 of a process that is gone. */
const kibibytesIn = (path: string, figure: RegExp): number =>
  Number(figure.exec(readOrEmpty(path))?.[1] ?? 0) * KIBIBYTE;

const cpuMs = (pid: number): number => {
  const [userTicks, systemTicks] = statFields(pid).slice(11, 13).map(Number);
  return ((userTicks ?? Number.NaN) + (systemTicks ?? Number.NaN)) * MS_PER_TICK;
};

/** The fields of `/proc/PID/stat` after the command's name, which may itself hold spaces: state, parent, ... */
const statFields = (pid: number): readonly string[] => {
  const text = readOrEmpty(`/proc/${pid}/stat`);
  return text === '' ? [] : text.slice(text.lastIndexOf(')') + 2).split(' ');
};

/** A process may end at any moment. */
const readOrEmpty = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};
