/** Linear programmes and their solutions as data, in the terms of the field; who solves them is somebody else's business. */

/** Minimise `costs` x with `rowLower <= A x <= rowUpper`, `0 <= x <= upper`. */
export interface LinearProgramme {
  readonly costs: readonly number[];
  readonly lower: readonly number[];
  readonly upper: readonly number[];
  readonly rows: readonly Row[];
}

/** One row of A with its bounds. */
export interface Row {
  readonly lower: number;
  readonly upper: number;
  readonly columns: readonly number[];
  readonly values: readonly number[];
}

/** An optimal solution. */
export interface LinearSolution {
  /** Of each column. */
  readonly values: readonly number[];
  /** By how much the objective rises per unit of a column that stays at its bound. */
  readonly reducedCosts: readonly number[];
  /** By how much the objective rises per unit of a row's right side. */
  readonly rowDuals: readonly number[];
}

/** @throws Error where the programme has no optimal solution. */
export type Solve = (programme: LinearProgramme) => LinearSolution;
