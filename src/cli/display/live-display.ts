/** The live display on a terminal: drawn again in place, never wider or higher than the terminal. */
import { createLogUpdate } from 'log-update';
import type { CliContext } from '../context.ts';
import { wantsColour } from '../context.ts';
import { oneLine, cutText } from '../text/width.ts';
import { ingestedLines, readingText } from './reading-text.ts';
import { type ProgressView, watchProgress } from './progress-view.ts';
import { renderProgress } from './render-progress.ts';
import { drainingText, noticeText, type RunDisplay, STOPPING } from './run-display.ts';

/** A terminal that is written to and tells when its size changes; `process.stderr` is one. */
export type Terminal = NodeJS.WriteStream & CliContext['stderr'];

/** Shows a run on a terminal. Drawing ends with `close`, the last picture is wiped for the summary. */
export function liveDisplay(terminal: Terminal): RunDisplay {
  const draw = createLogUpdate(terminal);
  const watch = watchProgress();
  const colour = wantsColour(terminal);
  let view: ProgressView | null = null;
  let notice: string | null = null;

  const redraw = (): void => {
    if (view === null) return;
    const { columns, rows } = terminal;
    // One row is kept for the cursor, which stands below the picture.
    draw(renderProgress({ ...view, notice }, { columns, rows: rows - 1, colour, nowMs: view.atMs }));
  };
  const say = (message: string): void => {
    draw.persist(message);
    redraw();
  };
  terminal.on('resize', redraw);
  return {
    say,
    ingesting: (status) => draw(cutText(readingText(status), terminal.columns)),
    ingested(submitted) {
      draw.clear();
      say(ingestedLines(submitted, Date.now()).map(oneLine).join('\n'));
    },
    noticed(notices) {
      for (const told of notices) say(noticeText(told));
    },
    progressed(progress) {
      view = watch.observe(progress);
      redraw();
    },
    draining(callsUnderWay) {
      notice = drainingText(callsUnderWay);
      redraw();
    },
    stopping() {
      notice = STOPPING;
      if (view === null) say(STOPPING);
      else redraw();
    },
    close() {
      terminal.off('resize', redraw);
      draw.clear();
      draw.done();
    },
  };
}
