/** `providers`: lanes, limits, use, next reset; what refusals suggest to change; and what is off, and why. */
import type { Config } from '../../config/config.ts';
import { DEMO_OFFER } from '../../config/no-keys-message.ts';
import { CATALOG } from '../../providers/catalog.ts';
import { type ConfigFlags, openRecord, readConfig } from '../configuration.ts';
import { type CliContext, printJson, printLines, wantsColour } from '../context.ts';
import { providerLines } from '../display/render-providers.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { suggestedConfig } from '../suggestion/suggested-config.ts';
import { fitLine, paint } from '../text/styled.ts';

/** Options of `providers`. */
export interface ProvidersFlags extends ConfigFlags {
  readonly json?: boolean | undefined;
}

/** Prints how every provider and lane stands. */
export async function providers(context: CliContext, flags: ProvidersFlags): Promise<ExitCode> {
  const { stdout, stderr } = context;
  const config = await readConfig(context, flags, { allowNoLanes: true });
  await using nightshift = await openRecord(config, (message) => void stderr.write(`${message}\n`));
  const lanes = await nightshift.progress.lanes(await nightshift.currentRouting());
  const nowMs = nightshift.clock.nowMs();
  const onByDefault = config.file === null ? config.providers.map(({ id }) => id) : [];
  const suggestion = suggestedConfig({ lanes, onByDefault });
  if (flags.json === true) {
    printJson(stdout, { atMs: nowMs, lanes, suggestedConfig: suggestion, unavailable: config.unavailable });
    return EXIT.done;
  }
  const columns = stdout.isTTY === true ? (stdout.columns ?? 80) : Infinity;
  const standing = providerLines(lanes, { columns, nowMs });
  printLines(stdout, [
    ...standing.map((line) => paint(fitLine(line, columns), wantsColour(stdout)).trimEnd()),
    ...suggestionLines(suggestion, config.file),
    '',
    ...unavailableLines(config),
  ]);
  return EXIT.done;
}

/** As it is, so that it can be pasted. */
function suggestionLines(suggestion: string | null, file: string | null): readonly string[] {
  if (suggestion === null) return [];
  const how =
    file === null
      ? 'Save it as nightshift.yaml.'
      : `Merge it into ${file}; a \`providers\` section must name all that shall be on.`;
  return ['', `What the refusals suggest to declare. ${how}`, '', ...suggestion.trimEnd().split('\n')];
}

function nameOf(id: string): string {
  return CATALOG.find((provider) => provider.id === id)?.name ?? id;
}

function unavailableLines({ unavailable, providers: on }: Config): readonly string[] {
  return [
    ...(unavailable.length === 0 ? [] : ['Not on:']),
    ...unavailable.map(({ providerId, reason }) => `  ${nameOf(providerId)} (${providerId}): ${reason}`),
    ...(on.length === 0 ? ['', DEMO_OFFER] : []),
  ];
}
