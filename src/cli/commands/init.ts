/** `init`: leaves a commented nightshift.yaml behind. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { renderInitYaml } from '../../config/init-yaml.ts';
import { CONFIG_FILE_NAME } from '../../config/load-config.ts';
import type { CliContext } from '../context.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { CannotRun } from '../run-request.ts';

/** Options of `init`. */
export interface InitOptions {
  /** Overwrite. */
  readonly force?: boolean | undefined;
  /** Print instead of writing. */
  readonly stdout?: boolean | undefined;
}

/** Writes the file, or prints it. Rejects with CannotRun where one is already there. */
export async function init(context: CliContext, { force, stdout }: InitOptions): Promise<ExitCode> {
  const yaml = renderInitYaml(context.environment);
  if (stdout === true) {
    context.stdout.write(yaml);
    return EXIT.done;
  }
  const path = join(context.workingDirectory, CONFIG_FILE_NAME);
  await writeFile(path, yaml, { flag: force === true ? 'w' : 'wx' }).catch((cause: unknown) => {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'EEXIST')) throw cause;
    throw new CannotRun(
      `Expected no ${CONFIG_FILE_NAME} here yet, found ${path}. Add --force to overwrite it, or --stdout to print.`,
      {
        cause,
      },
    );
  });
  context.stdout.write(
    `Wrote ${path}.\nLook through it, put keys into the environment or a .env beside it, then: npx nightshift doctor\n`,
  );
  return EXIT.done;
}
