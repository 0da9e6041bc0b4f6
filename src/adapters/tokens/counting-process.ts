/**
 * The process that counts: each message is a list of texts, answered in order by their counts. It lives as long as its
 * channel: whoever started it may end in any way, and signals to the whole group are not meant for it.
 */
import { countTokens } from './count-tokens.ts';

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
process.once('disconnect', () => process.exit());
process.on('message', (texts: readonly string[]) => process.send?.(countTokens(texts)));
