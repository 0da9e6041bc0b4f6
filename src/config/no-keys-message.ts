/** What to tell someone who has no key yet. */
import { CATALOG } from '../providers/catalog.ts';
import { isOnByItself } from './not-named.ts';

/** The best to begin with: one key each is minutes of work, and together they give most of a free night. */
const BEST_FIRST = ['gemini', 'groq', 'openrouter'];

/** What can be tried without a key. */
export const DEMO_OFFER = 'To see a whole night without any key: npm run demo';

/** How to get a key, where to put it, and what can be tried without one. Several lines, ready to print. */
export function noKeysMessage(): string {
  const best = CATALOG.filter(({ id }) => BEST_FIRST.includes(id));
  const others = CATALOG.filter((provider) => isOnByItself(provider) && !BEST_FIRST.includes(provider.id));
  const anonymous = CATALOG.filter(({ tier, apiKeyEnv }) => tier === 'free' && apiKeyEnv === undefined);
  const local = CATALOG.filter(({ kind }) => kind === 'local-server');
  return [
    'No provider can be used: no key was found in the environment. A free key takes a few minutes:',
    '',
    ...best.map(({ name, howToStart, apiKeyEnv }) => `  ${name}: ${howToStart}\n    export ${apiKeyEnv}=...`),
    '',
    'Also free, by the variable of the key:',
    ...linesOf(others.flatMap(({ apiKeyEnv }) => apiKeyEnv ?? [])),
    '',
    `Without any key: ${anonymous.map(({ name }) => name.replace(/ \(.*/, '')).join(' and ')}, and local servers`,
    `(${local.map(({ name }) => name).join(', ')}), once nightshift.yaml names them.`,
    `\`npx nightshift init\` writes one that says how to get each; keys may also stand in a file .env beside it.`,
    '',
    DEMO_OFFER,
  ].join('\n');
}

const NAMES_PER_LINE = 4;

function linesOf(names: readonly string[]): readonly string[] {
  return names
    .filter((_, index) => index % NAMES_PER_LINE === 0)
    .map((_, line) => `  ${names.slice(line * NAMES_PER_LINE, (line + 1) * NAMES_PER_LINE).join(', ')}`);
}
