/** Which request goes where: control routes under `/_/`, the rest to the provider that its path names. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Exchange } from './chat-route.ts';
import { serveChat } from './chat-route.ts';
import { controlReply } from './control-route.ts';
import { DIALECTS } from '../dialects/dialects.ts';
import { MAX_BODY_BYTES, readBody, send } from './http-io.ts';
import { hasKey } from '../judge-call.ts';
import { modelsReply } from './models-route.ts';
import type { ProviderState, World } from '../state.ts';

/** What stays while the world may be reset. */
export interface House {
  world: World;
  /** Timers of answers on their way. */
  readonly timers: Set<NodeJS.Timeout>;
  reset: () => void;
}

const PROVIDER_PATH = /^\/([^/]+)\/v1(\/.*)?$/u;

/** Serves one HTTP request. Rejects when the client leaves before its body is read. */
export async function serve(
  house: House,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method = 'GET', url = '/' } = incoming;
  const [path = '/', query = ''] = url.split('?', 2);
  const provider = providerAt(house.world, path);
  const bodyText = method === 'POST' ? await readBody(incoming) : '';
  const { world, timers } = house;
  if (bodyText === null) return sendTooLarge(provider, response);
  if (path.startsWith('/_/')) {
    const request = { method, name: path.slice('/_/'.length), query: new URLSearchParams(query), bodyText };
    return send(response, controlReply(world, request, house.reset));
  }
  if (provider === undefined)
    return send(response, DIALECTS.openai.refuse({ kind: 'no-such-route', method, path }));
  serveProvider({ world, provider, incoming, response, bodyText, timers }, method, path);
}

function providerAt(world: World, path: string): ProviderState | undefined {
  const id = PROVIDER_PATH.exec(path)?.[1];
  return id === undefined ? undefined : world.providers.get(id);
}

function serveProvider(exchange: Exchange, method: string, path: string): void {
  const { world, provider, incoming, response } = exchange;
  const route = `${method} ${PROVIDER_PATH.exec(path)?.[2] ?? '/'}`;
  if (route === 'POST /chat/completions') return serveChat(exchange);
  if (world.faults.isDead(provider.tier.id, world.clock.nowMs() - world.startedAtMs)) {
    response.destroy();
    return;
  }
  const { authorization } = incoming.headers;
  if (!hasKey({ provider, authorization }))
    return send(response, provider.dialect.refuse({ kind: 'unauthorized' }));
  if (route === 'GET /models') return send(response, modelsReply(provider, null, world.startedAtMs));
  const prefix = 'GET /models/';
  if (route.startsWith(prefix))
    return send(response, modelsReply(provider, route.slice(prefix.length), world.startedAtMs));
  send(response, provider.dialect.refuse({ kind: 'no-such-route', method, path }));
}

/** The rest of the body is never read, so the connection cannot be kept. */
function sendTooLarge(provider: ProviderState | undefined, response: ServerResponse): void {
  const dialect = provider?.dialect ?? DIALECTS.openai;
  send(response, dialect.refuse({ kind: 'body-too-large', maxBytes: MAX_BODY_BYTES }), {
    connection: 'close',
  });
}
