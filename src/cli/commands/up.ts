/** `up`: a process of the service, until it is told to stop. */
import { openLogStream } from '../../adapters/files/log-file.ts';
import type { Role } from '../../app/process-registry.ts';
import { openNightshift } from '../../wire.ts';
import { type ConfigFlags, readConfig } from '../configuration.ts';
import type { CliContext } from '../context.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { watchSignals } from '../interruption.ts';
import { watchLoss, workUntilLost } from '../lost-record.ts';

/** Options of `up`. */
export interface UpFlags extends ConfigFlags {
  readonly role: readonly Role[];
  readonly host: string;
  readonly port?: number | undefined;
}

/** Serves until SIGINT or SIGTERM; waits for the calls under way. */
export async function up(context: CliContext, flags: UpFlags): Promise<ExitCode> {
  const { stderr } = context;
  const say = (message: string): void => void stderr.write(`nightshift: ${message}\n`);
  using signals = watchSignals(
    process,
    {
      drainRequested: () => say('stopping: waiting for the calls under way (Ctrl-C again aborts them)'),
      abortRequested: () => say('aborting the calls under way (Ctrl-C again exits at once)'),
      exitRequested: () => process.exit(EXIT.interrupted),
    },
    () => performance.now(),
  );
  // A process that makes no call is meant to be without keys.
  const makesCalls = flags.role.includes('worker');
  const config = await readConfig(context, flags, { allowNoLanes: !makesCalls, isSilent: !makesCalls });
  const loss = watchLoss('Start the service again.');
  // On a terminal people want to read a few sentences; elsewhere somebody collects the log.
  using log = context.stdout.isTTY === true ? null : openLogStream(process.stdout);
  const stack = new AsyncDisposableStack();
  const nightshift = stack.use(
    await openNightshift(config, {
      onWait: say,
      onLost: loss.onLost,
      ...(log === null ? {} : { log }),
    }),
  );
  const serve = async (): Promise<ExitCode> => {
    // Loaded here: other commands start sooner, and smaller, without the board and the server.
    const { startService } = await import('../../service.ts');
    const service = stack.use(
      await startService(nightshift, config, {
        roles: flags.role,
        host: flags.host,
        port: flags.port ?? null,
        onWarning: (warning) => say(`warning: ${warning}`),
      }),
    );
    // Closing waits for the calls under way. A service that has drained has none; of a lost record they would wait for ever.
    stack.defer(() => service.abort());
    signals.abort.addEventListener('abort', () => service.abort(), { once: true });
    say(
      `up as ${flags.role.join(', ')}, pid ${process.pid}${config.home === 'embedded' ? `, record in ${config.dataDirectory}` : ''}`,
    );
    if (service.url !== null) say(`listening on ${service.url}`);
    if (service.url !== null && flags.role.includes('api')) say(`the board is at ${service.url}/board`);
    await aborted(signals.drain);
    await service.drain();
    return EXIT.done;
  };
  return await workUntilLost(loss, serve, () => stack.disposeAsync());
}

async function aborted(signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
