/** What to tell someone who has no key yet. */
import { CATALOG } from '../providers/catalog.ts';

/** The best to begin with: one key each is minutes of work, and together they give most of a free night. */
const BEST_FIRST = ['gemini', 'groq', 'openrouter'];

/** What can be tried without a key. */
export const DEMO_OFFER = 'To see a whole night without any key: npm run demo';

/** How to get a key, where to put it, and what can be tried without one. Several lines, ready to print. */
export function noKeysMessage(): string {
  const best = CATALOG.filter(({ id }) => BEST_FIRST.includes(id));
  const others = CATALOG.filter(({ id, tier }) => !BEST_FIRST.includes(id) && tier !== 'local');
  return [
    'No provider can be used: no key was found in the environment. A free key takes a few minutes:',
    '',
    ...best.map(({ name, howToStart, apiKeyEnv }) => `  ${name}: ${howToStart}\n    export ${apiKeyEnv}=...`),
    '',
    `Also known: ${others.map(({ name, apiKeyEnv }) => `${name} (${apiKeyEnv})`).join(', ')};`,
    'and local servers (Ollama, llama.cpp), which need no key. `npx nightshift init` writes a nightshift.yaml',
    'that says how to get each; keys may also stand in a file .env beside it.',
    '',
    DEMO_OFFER,
  ].join('\n');
}
