/** The name of a line: `custom_id` of an OpenAI batch line, `id` of a document. */
import type { BodyFault } from './chat-request.ts';
import { describeType, type JsonRecord, memberAt } from '../json/loose-json.ts';
import { parseLossless } from '../json/lossless-json.ts';

/** Longest id in characters: 512 of four bytes stay within the 2,704 bytes of a PostgreSQL index entry. */
export const MAX_CUSTOM_ID_LENGTH = 512;

/** The member that holds the id. */
export type IdMember = 'id' | 'custom_id';

/** An id fit for the record, or what is wrong with it. */
export type IdReading =
  | { readonly kind: 'id'; readonly customId: string }
  | { readonly kind: 'fault'; readonly fault: BodyFault };

/** Reads an id; a document's may be a number, and keeps all the digits it was written with. */
export function readId(line: JsonRecord, json: string, param: IdMember): IdReading {
  const value = memberAt(line, param);
  const isNumber = typeof value === 'number' && param === 'id';
  const customId = isNumber ? numberAsWritten(json, value) : value;
  if (typeof customId !== 'string' || customId === '') {
    const code =
      value === undefined || value === '' || value === null ? 'missing_required_parameter' : 'invalid_type';
    const kinds = param === 'id' ? 'a string or a number' : 'a string';
    return fault({
      code,
      param,
      message: `Expected \`${param}\` to be ${kinds} that names the line, got ${describeType(value)}.`,
    });
  }
  const flaw = idFlaw(customId);
  if (flaw === null) return { kind: 'id', customId };
  return fault({
    code: 'invalid_value',
    param,
    message: `Expected \`${param}\` to be ${flaw}. Use a shorter, plain name.`,
  });
}

function numberAsWritten(json: string, value: number): string {
  return Number.isSafeInteger(value) ? String(value) : JSON.stringify(memberAt(parseLossless(json), 'id'));
}

/** What PostgreSQL's text and a unique index cannot hold. */
function idFlaw(customId: string): string | null {
  if (customId.length > MAX_CUSTOM_ID_LENGTH) {
    return `at most ${MAX_CUSTOM_ID_LENGTH} characters, got ${customId.length}`;
  }
  const isStorable = customId.isWellFormed() && !customId.includes('\0');
  return isStorable ? null : 'text without NUL characters and lone surrogates, got one with such';
}

function fault(found: BodyFault): IdReading {
  return { kind: 'fault', fault: found };
}
