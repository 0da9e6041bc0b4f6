/** A provider of a test's own, and one call to it by the client that the workers use. */
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, type Server, type Socket, createServer as createSocketServer } from 'node:net';
import { openProviderClient } from '../../../src/adapters/openai/provider-client.ts';
import type { ProviderReply } from '../../../src/app/ports.ts';
import { aLane, aProvider } from '../../app/fakes.ts';

/** The key of every call that names none. */
export const KEY = 'hunter2-night-0123456789';

/** What a call is made with, where it differs from the usual. */
export interface CallOptions {
  /** `null`: none. */
  readonly key?: string | null;
  readonly content?: string;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Told when it goes out. */
  readonly sent?: () => void;
}

/** What came of a call, and how often the server was asked. */
export interface Called {
  readonly reply: ProviderReply;
  readonly asked: number;
}

/** One call to a server that answers like this. */
export const callTo = async (listener: RequestListener, options: CallOptions = {}): Promise<Called> => {
  let asked = 0;
  const server = createServer((request, response) => {
    asked += 1;
    listener(request, response);
  });
  const port = await listenOn(server);
  const reply = await callOn(port, options);
  server.closeAllConnections();
  await closed(server);
  return { reply, asked };
};

/** One call to a server that answers the first bytes it gets with whatever this writes: HTTP as no library writes it. */
export const callToSocket = async (
  answer: (socket: Socket) => void,
  options: CallOptions = {},
): Promise<ProviderReply> => {
  const sockets = new Set<Socket>();
  const server = createSocketServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('data', () => answer(socket));
  });
  const port = await listenOn(server);
  const reply = await callOn(port, options);
  for (const socket of sockets) socket.destroy();
  await closed(server);
  return reply;
};

/** One call to a port where nobody listens any more. */
export const callToNobody = async (options: CallOptions = {}): Promise<ProviderReply> => {
  const server = createSocketServer();
  const port = await listenOn(server);
  await closed(server);
  return await callOn(port, options);
};

const callOn = async (
  port: number,
  {
    key = KEY,
    content = 'Hi.',
    timeoutMs = 60_000,
    signal = new AbortController().signal,
    sent = () => {},
  }: CallOptions,
): Promise<ProviderReply> => {
  const lane = aLane('alpha/small', { timeoutMs });
  const provider = aProvider([lane], { baseUrl: `http://127.0.0.1:${port}/v1` });
  const body = { messages: [{ role: 'user', content }] };
  return await openProviderClient([provider], () => key ?? undefined).chat(lane, body, { signal, sent });
};

const listenOn = async (server: Server): Promise<number> => {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return portOf(server.address());
};

const portOf = (address: AddressInfo | string | null): number => {
  if (typeof address === 'object' && address !== null) return address.port;
  throw new Error('Expected a port of the system, got none.');
};

const closed = async (server: Server): Promise<void> => {
  await new Promise((resolve) => {
    server.close(resolve);
  });
};
