/** Turns the text of a configuration file and the environment into a `Config`. Reads nothing itself. */
import { createHash } from 'node:crypto';
import type { Provider } from '../core/model.ts';
import { CATALOG } from '../providers/catalog.ts';
import type { Config, UnavailableProvider } from './config.ts';
import { declaredProviders, laneNames } from './declared.ts';
import type { DeclaredProvider } from './declared.ts';
import { deepFreeze } from './deep-freeze.ts';
import { createKeyRing } from './key-ring.ts';
import { spareKeyWarnings } from './key-variables.ts';
import { priceWarnings } from './lane-prices.ts';
import { DEMO_OFFER, noKeysMessage } from './no-keys-message.ts';
import { notNamed } from './not-named.ts';
import { nameLanes } from './pools.ts';
import { ConfigError, configError, formatPath } from './problems.ts';
import type { DocumentPath, PathProblem } from './problems.ts';
import { checkReferences } from './references.ts';
import { checkEntries, checkKeysStayOutOfUrls, checkOneAccountEach } from './relations.ts';
import type { ConfigFile } from './schema.ts';
import type { Servers } from './servers.ts';
import { checkShape } from './shape.ts';
import { switchOn } from './switch-on.ts';
import type { Environment } from './key-variables.ts';
import { parseYamlFile } from './yaml-file.ts';
import type { YamlFile } from './yaml-file.ts';

/** What a configuration is made of. */
export interface ConfigInput {
  /** The file's text and the name it has in messages; `null` where there is no file. */
  readonly yaml: { readonly name: string; readonly text: string } | null;
  /** Variables of the process over those of `.env`. */
  readonly environment: Environment;
  /** Absolute path. */
  readonly dataDirectory: string;
  /** The servers of the record and the queues; `null` for the embedded home. Default: `null`. */
  readonly servers?: Servers | null;
  /** Providers that are on even without a key. Default: none. */
  readonly assumed?: ReadonlySet<string>;
  /** Providers of the catalog that are on though the file does not name them, with or without a key. Default: none. */
  readonly added?: ReadonlySet<string>;
  /** Whether to go on with no lane at all, for commands that call nobody. Default: no. */
  readonly allowNoLanes?: boolean;
}

/** The resolved configuration. Throws `ConfigError` with every problem of the file, or when no lane is on. */
export function resolveConfig(input: ConfigInput): Config {
  const file = input.yaml === null ? { providers: undefined } : readFile(input.yaml.name, input.yaml.text);
  const { environment, assumed = new Set(), added = new Set() } = input;
  const declared = withAdded(declaredProviders(file), added);
  const isAssumed = ({ id }: DeclaredProvider): boolean => assumed.has(id) || added.has(id);
  const switched = declared.map((provider) => switchOn(provider, environment, isAssumed(provider)));
  const on = switched.filter((result) => result.kind === 'on');
  const unavailable = [
    ...switched.flatMap((result) => (result.kind === 'off' ? [result.unavailable] : [])),
    ...(file.providers === undefined ? notNamed(environment) : []),
  ];
  const providers = on.map(({ provider }) => provider);
  if (providers.length === 0 && input.allowNoLanes !== true) throw noLanes(file, unavailable);
  const { pools, aliases, warnings } = nameLanes({ file, providers, laneNames: laneNames(declared) });
  const keys = new Map(
    on.flatMap(({ provider, key }) => (key === undefined ? [] : [[provider.id, key] as const])),
  );
  const resolved = deepFreeze({
    file: input.yaml?.name ?? null,
    dataDirectory: input.dataDirectory,
    home: (input.servers ?? null) === null ? ('embedded' as const) : ('servers' as const),
    serviceUrl: filled(environment['NIGHTSHIFT_URL']) ?? null,
    boardShowsText: filled(environment['NIGHTSHIFT_BOARD_TEXT']) === '1',
    hash: hashOf({ providers: providers.map(withoutKeyVariable), pools, aliases }),
    providers,
    pools,
    aliases,
    unavailable,
    warnings: [
      ...missing(file, unavailable),
      ...withoutKey(declared, on),
      ...spareKeyWarnings(declared, environment),
      ...priceWarnings(providers),
      ...warnings,
    ],
  });
  const secrets = { ...input.servers, apiToken: filled(environment['NIGHTSHIFT_API_TOKEN']) };
  return Object.freeze({
    ...resolved,
    keys: createKeyRing(keys, secrets),
    assuming: (providerIds: ReadonlySet<string>) =>
      resolveConfig({ ...input, assumed: providerIds, allowNoLanes: true }),
    adding: (providerIds: ReadonlySet<string>) =>
      resolveConfig({ ...input, added: providerIds, allowNoLanes: true }),
  });
}

const withAdded = (
  declared: readonly DeclaredProvider[],
  added: ReadonlySet<string>,
): readonly DeclaredProvider[] => [
  ...declared,
  ...CATALOG.filter(({ id }) => added.has(id) && !declared.some((provider) => provider.id === id)).map(
    (catalog) => ({ id: catalog.id, entry: {}, catalog }),
  ),
];

/** A variable that is set to nothing counts as unset. */
const filled = (value: string | undefined): string | undefined =>
  value === undefined || value.trim() === '' ? undefined : value.trim();

/** Which variable a key came from is a matter of each process: the same key may go by another name elsewhere. */
const withoutKeyVariable = (provider: Provider) => ({ ...provider, apiKeyEnv: undefined });

const hashOf = (value: unknown): string =>
  createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 12);

function readFile(name: string, text: string): ConfigFile {
  const result = parseYamlFile(name, text);
  if (result.kind === 'broken') throw new ConfigError(result.problems);
  const { file, problems } = checkShape(result.file.data);
  const declared = file.providers === undefined ? [] : declaredProviders(file);
  const relations = [checkEntries, checkOneAccountEach, checkKeysStayOutOfUrls].flatMap((check) =>
    check(declared),
  );
  const all = [...problems, ...unlessFaulty(relations, problems), ...checkReferences(result.file.data)];
  if (all.length > 0) throw new ConfigError(placed(result.file, all));
  return file;
}

/** What is missing only because what stood there was faulty has been reported already. */
function unlessFaulty(found: readonly PathProblem[], faults: readonly PathProblem[]): readonly PathProblem[] {
  return found.filter(
    ({ path, message }) =>
      !message.startsWith('missing') || !faults.some((fault) => isInside(path, fault.path)),
  );
}

function isInside(outer: DocumentPath, inner: DocumentPath): boolean {
  return outer.every((step, index) => step === inner[index]);
}

function placed(file: YamlFile, problems: readonly PathProblem[]) {
  return problems
    .map(({ path, message }) => ({
      file: file.name,
      line: file.lineOf(path),
      path: formatPath(path),
      message,
    }))
    .toSorted((a, b) => a.line - b.line);
}

function noLanes(file: ConfigFile, unavailable: readonly UnavailableProvider[]): ConfigError {
  if (file.providers === undefined) return configError(noKeysMessage());
  const reasons = unavailable.map(({ providerId, reason }) => `  ${providerId}: ${reason}`);
  const head =
    reasons.length === 0
      ? 'The section `providers` lists none: list one, or leave the section out for all whose key is set.'
      : 'None of the providers under `providers` can be used:';
  return configError([head, ...reasons, '', DEMO_OFFER].join('\n'));
}

/** Providers that the file names and that are not on, unless the user switched them off. */
function missing(file: ConfigFile, unavailable: readonly UnavailableProvider[]): readonly string[] {
  return unavailable
    .filter(
      ({ kind }) =>
        kind === 'bad-key' ||
        kind === 'no-variable' ||
        (file.providers !== undefined && kind !== 'switched-off'),
    )
    .map(
      ({ providerId, reason }) => `The provider \`${providerId}\` is not on: ${reason.replace(/\.$/, '')}.`,
    );
}

type SwitchedOn = Extract<ReturnType<typeof switchOn>, { kind: 'on' }>;

/** Local servers whose key variable the user names but did not set are called without a key. */
function withoutKey(declared: readonly DeclaredProvider[], on: readonly SwitchedOn[]): readonly string[] {
  const named = new Set(declared.filter(({ entry }) => entry.apiKeyEnv !== undefined).map(({ id }) => id));
  return on
    .filter(({ provider, key }) => key === undefined && named.has(provider.id))
    .map(
      ({ provider }) =>
        `The provider \`${provider.id}\` is called without a key: ${provider.apiKeyEnv} is not set.`,
    );
}
