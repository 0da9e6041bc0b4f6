/** A process that has a tokenizer, tells its id, and is then left alone. */
import { openTokenizer } from '../../../src/adapters/tokens/open-tokenizer.ts';

const tokenizer = openTokenizer({ lingerMs: 0 });
const [count] = await tokenizer.open().count(['Hello']);
process.send?.({ pid: tokenizer.pid(), count });
