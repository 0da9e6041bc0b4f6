/** HiGHS, compiled to WebAssembly, as the solver of linear programmes. It blocks where it runs: see plan-worker.ts. */
import loadHighs from 'highs';
import type { LinearProgramme, LinearSolution, Solve } from '../../core/plan/linear-programme.ts';

/** The package's types are those of its CommonJS form, in which the loader is one level further down. */
const load: unknown = loadHighs;
const isLoader = (value: unknown): value is typeof loadHighs.default => typeof value === 'function';

/** Opens it; loading takes some 30 ms. */
export const openSolver = async (): Promise<Solve> => {
  if (!isLoader(load)) throw new Error(`Expected the package \`highs\` to be a loader, got ${typeof load}.`);
  const highs = await load();
  return (programme) =>
    highs.withModel(modelOf(programme), (model): LinearSolution => {
      model.options.set({ output_flag: false });
      const { optimal } = highs.constants.modelStatus;
      if (statusAfter(model) !== optimal) {
        // To presolve fails, or goes wrong, for one programme in thousands that mixes coefficients of a millionth with some of ten.
        model.options.set({ presolve: 'off' });
        model.clearSolver();
        const status = statusAfter(model);
        if (status !== optimal)
          throw new Error(`Expected the programme to have an optimal solution, got status ${status}.`);
      }
      const { colValue, colDual, rowDual } = model.getSolution();
      return { values: [...colValue], reducedCosts: [...colDual], rowDuals: [...rowDual] };
    });
};

/** What of a model of HiGHS is run. */
interface Runnable {
  run(): unknown;
  getModelStatus(): number;
}

/** How a run ended: its status, or the error that it ended in. */
const statusAfter = (model: Runnable): number | string => {
  try {
    model.run();
    return model.getModelStatus();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};

/** HiGHS takes the matrix as compressed rows. */
const modelOf = ({ costs, lower, upper, rows }: LinearProgramme) => {
  const starts = [0];
  for (const { columns } of rows) starts.push((starts.at(-1) ?? 0) + columns.length);
  return {
    numCols: costs.length,
    numRows: rows.length,
    colCost: costs,
    colLower: lower,
    colUpper: upper,
    rowLower: rows.map((row) => row.lower),
    rowUpper: rows.map((row) => row.upper),
    matrix: {
      format: 'csr',
      numRows: rows.length,
      numCols: costs.length,
      starts,
      indices: rows.flatMap(({ columns }) => columns),
      values: rows.flatMap(({ values }) => values),
    },
  } as const;
};
