/**
 * The routes under `/_/`, for whoever runs the simulator and not for clients of it:
 * `GET stats`, `GET calls?since=N` (JSON lines), `GET` or `POST faults`, `POST limits`, `POST reset`.
 */
import { changeLimit, readLimitChange } from '../change-limit.ts';
import { isRecord, parseObject } from './chat-request.ts';
import { readFaultRules } from '../faults/check-faults.ts';
import type { Reply } from '../dialects/dialect.ts';
import { jsonReply } from '../dialects/dialect.ts';
import { statsOf } from '../stats.ts';
import type { World } from '../state.ts';

/** One control request. */
export interface ControlRequest {
  readonly method: string;
  /** After `/_/`, without the query. */
  readonly name: string;
  readonly query: URLSearchParams;
  readonly bodyText: string;
}

/** Answers a control request; `reset` is called for `POST /_/reset`. */
export function controlReply(world: World, request: ControlRequest, reset: () => void): Reply {
  switch (`${request.method} ${request.name}`) {
    case 'GET stats':
      return jsonReply(200, statsOf(world));
    case 'GET calls':
      return callsReply(world, Number(request.query.get('since') ?? 0));
    case 'GET faults':
      return jsonReply(200, { rules: world.faults.rules() });
    case 'POST faults':
      return faultsReply(world, request.bodyText);
    case 'POST limits':
      return limitsReply(world, request.bodyText);
    case 'POST reset':
      reset();
      return jsonReply(200, { reset: true });
    default:
      return problem(
        404,
        `Expected a control route (stats, calls, faults, limits, reset), got ${request.method} ${request.name}.`,
      );
  }
}

function callsReply(world: World, since: number): Reply {
  if (!Number.isSafeInteger(since) || since < 0) {
    return problem(400, 'Expected `since` to be a sequence number, 0 or more.');
  }
  const lines = world.log.since(since).map((call) => `${JSON.stringify(call)}\n`);
  return { status: 200, headers: { 'content-type': 'application/x-ndjson' }, body: lines.join('') };
}

/** `{ "replace": [...] }`, `{ "add": [...] }` or `{ "clear": true }`. */
function faultsReply(world: World, bodyText: string): Reply {
  const body = parseObject(bodyText);
  if (!isRecord(body)) return problem(400, 'Expected a JSON object with `replace`, `add` or `clear`.');
  try {
    if (body['clear'] === true || body['replace'] !== undefined)
      world.faults.replace(readFaultRules(body['replace'] ?? []));
    if (body['add'] !== undefined) world.faults.add(readFaultRules(body['add']));
    return jsonReply(200, { rules: world.faults.rules() });
  } catch (error) {
    return problem(400, messageOf(error));
  }
}

/** `{ "provider": ..., "metric": ..., "amount": ... }`, and `model` and `window` where they are needed. */
function limitsReply(world: World, bodyText: string): Reply {
  try {
    const change = readLimitChange(parseObject(bodyText));
    changeLimit(world, change);
    return jsonReply(200, { changed: change });
  } catch (error) {
    return problem(400, messageOf(error));
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function problem(status: number, message: string): Reply {
  return jsonReply(status, { error: { message } });
}
