/** What shows a run to whoever started it: on a terminal, in plain lines, or not at all. */
import type { RunListener } from '../run-request.ts';
import { oneLine } from '../text/width.ts';

/** A listener that can be talked to and ended. */
export interface RunDisplay extends RunListener {
  /** A sentence that stays. */
  readonly say: (message: string) => void;
  /** The user wants it to stop; what that means is said by `draining` once it is known. */
  stopping(): void;
  /** Ends the display; nothing is written afterwards. */
  close(): void;
}

/** Shows nothing but what it is told to say, and what the user has to be told. */
export function quietDisplay(say: (message: string) => void): RunDisplay {
  return {
    say,
    ingesting() {},
    ingested() {},
    noticed(notices) {
      for (const notice of notices) say(noticeText(notice));
    },
    progressed() {},
    draining: (callsUnderWay) => say(drainingText(callsUnderWay)),
    stopping: () => say(STOPPING),
    close() {},
  };
}

/** A notice as it is shown, whoever shows it. */
export function noticeText(notice: string): string {
  return `note: ${oneLine(notice)}`;
}

/** The first answer to Ctrl-C. */
export const STOPPING = 'stopping …';

/** What Ctrl-C brings about. */
export function drainingText(callsUnderWay: number): string {
  return callsUnderWay === 0
    ? 'stopping: no call is under way'
    : `draining: waiting for ${callsUnderWay} ${callsUnderWay === 1 ? 'call' : 'calls'} under way (Ctrl-C again aborts them)`;
}
