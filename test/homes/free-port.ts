/** A TCP port of this machine for a server of a test. */
import { once } from 'node:events';
import { createServer } from 'node:net';

/** A port of 127.0.0.1 that nobody listened on a moment ago; it stays the server's own over its restarts. */
export const findFreePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') {
    throw new Error(`Expected a TCP port on 127.0.0.1, got ${JSON.stringify(address)}.`);
  }
  return address.port;
};
