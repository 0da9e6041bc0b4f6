/** Figures and how they are printed. */

/** The middle one; of an even number, the upper of the two. NaN of none. */
export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

/** `0.73x`. */
export const asRatio = (value: number): string => `${value.toFixed(2)}x`;

/** `173 MiB`; a dash where it could not be read. */
export const asMebibytes = (bytes: number): string =>
  Number.isFinite(bytes) ? `${Math.round(bytes / 1024 / 1024)} MiB` : '-';

/** `12,345`; a dash where there is no figure. */
export const asCount = (value: number): string =>
  Number.isFinite(value) ? Math.round(value).toLocaleString('en') : '-';

/** Rows under a head, in columns: the first to the left, the others to the right. */
export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string => {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    widths
      .map((width, column) =>
        column === 0 ? (cells[column] ?? '').padEnd(width) : (cells[column] ?? '').padStart(width),
      )
      .join('  ')
      .trimEnd();
  return [line(head), ...rows.map(line)].join('\n');
};
