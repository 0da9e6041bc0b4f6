/** Resolves configuration texts the way the tests need it. */
import type { Config } from '../../src/config/config.ts';
import { ConfigError } from '../../src/config/problems.ts';
import { isOnByItself } from '../../src/config/not-named.ts';
import { resolveConfig } from '../../src/config/resolve-config.ts';
import type { Environment } from '../../src/config/key-variables.ts';
import { CATALOG } from '../../src/providers/catalog.ts';

/** A key for every provider of the catalog that is on by itself, and the other parts of their addresses. */
export const ALL_KEYS = {
  ...Object.fromEntries(
    CATALOG.filter(isOnByItself).map(({ id, apiKeyEnv = '' }) => [apiKeyEnv, `${id}-key`]),
  ),
  CLOUDFLARE_ACCOUNT_ID: 'account',
};

/** The configuration of a file's text, or of no file. */
export function resolve(text: string | null, environment: Environment = ALL_KEYS): Config {
  const yaml = text === null ? null : { name: 'nightshift.yaml', text };
  return resolveConfig({ yaml, environment, dataDirectory: '/data' });
}

/** The lines of the error that a file's text ends in. */
export function problemsOf(text: string, environment: Environment = ALL_KEYS): readonly string[] {
  try {
    resolve(text, environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
    throw error;
  }
  return [];
}

/** A valid provider of one's own with more lines in its model. */
export function homeWith(modelLines: string): string {
  return `providers:
  home:
    baseUrl: http://127.0.0.1:8080/v1
    tier: local
    models:
      m:
        contextTokens: 8192
        maxOutputTokens: 1024
${modelLines}`;
}
