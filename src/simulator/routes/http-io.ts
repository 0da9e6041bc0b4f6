/** Reading bodies and sending answers over node:http, nothing of what they mean. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Reply } from '../dialects/dialect.ts';

/** The largest request body that is read; the usual bound of real gateways. */
export const MAX_BODY_BYTES = 32 * 1024 * 1024;

/** A whole body as UTF-8 text, or null when it is larger than `MAX_BODY_BYTES` (the rest is not read). Rejects when the client leaves. */
export async function readBody(incoming: IncomingMessage): Promise<string | null> {
  if (Number(incoming.headers['content-length'] ?? 0) > MAX_BODY_BYTES) return null;
  const chunks: Buffer[] = [];
  let bytes = 0;
  return new Promise((resolve, reject) => {
    incoming.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MAX_BODY_BYTES) resolve(null);
      else chunks.push(chunk);
    });
    incoming.once('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    incoming.once('error', reject);
    incoming.once('close', () =>
      reject(new Error('Expected a whole request body, got a closed connection.')),
    );
  });
}

/** Sends an answer and keeps the connection. Does nothing if the client has left. */
export function send(
  response: ServerResponse,
  reply: Reply,
  extra: Readonly<Record<string, string>> = {},
): void {
  if (response.destroyed || response.writableEnded) return;
  const headers = { ...reply.headers, ...extra, 'content-length': Buffer.byteLength(reply.body) };
  response.writeHead(reply.status, headers);
  response.end(reply.body);
}
