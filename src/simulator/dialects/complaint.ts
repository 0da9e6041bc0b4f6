/**
 * What a tier has to say against a call, before any provider's words are put to it, and the plain wording
 * (OpenAI's) that dialects start from.
 */
import { contextMessage, metricWord, quotaMessage, tooLargeMessage } from './limit-wording.ts';
import type { CallSize, Exceeded } from '../windows/meter.ts';
import type { SimulatedLimit } from '../tier.ts';

/** Why a call is not answered. */
export type Complaint =
  | {
      readonly kind: 'quota';
      readonly model: string;
      /** Every limit without room, the longest wait first. */
      readonly exceeded: readonly [Exceeded, ...Exceeded[]];
      readonly nowMs: number;
    }
  | { readonly kind: 'concurrency'; readonly model: string; readonly limit: number }
  | {
      readonly kind: 'too-large';
      readonly model: string;
      readonly limit: SimulatedLimit;
      readonly requested: number;
    }
  | { readonly kind: 'body-too-large'; readonly maxBytes: number }
  | { readonly kind: 'context-length'; readonly contextTokens: number; readonly size: CallSize }
  | { readonly kind: 'unauthorized' }
  | { readonly kind: 'bad-key' }
  | { readonly kind: 'forbidden' }
  | { readonly kind: 'payment-required' }
  | { readonly kind: 'insufficient-quota' }
  | { readonly kind: 'bad-parameter'; readonly parameter: string }
  | { readonly kind: 'bad-request'; readonly message: string; readonly parameter: string | null }
  | { readonly kind: 'model-not-found'; readonly model: string }
  | { readonly kind: 'model-retired'; readonly model: string }
  | { readonly kind: 'no-such-route'; readonly method: string; readonly path: string }
  | { readonly kind: 'server-error' }
  | { readonly kind: 'overloaded' };

export type ComplaintKind = Complaint['kind'];
export type ComplaintOf<K extends ComplaintKind> = Extract<Complaint, { readonly kind: K }>;

/** Where a dialect differs from the common form, by complaint. */
export type OwnWords<T> = { readonly [K in ComplaintKind]?: (complaint: ComplaintOf<K>) => T };

/** A dialect's own words for a complaint, or undefined where it has none. */
export function ownWords<K extends ComplaintKind, T>(
  words: OwnWords<T>,
  kind: K,
  complaint: ComplaintOf<K>,
): T | undefined {
  return words[kind]?.(complaint);
}

/** One complaint in words. */
export interface Wording {
  readonly status: number;
  readonly message: string;
  readonly type: string;
  readonly code: string | null;
  readonly parameter: string | null;
}

/** The wording of OpenAI's own API; Groq's where OpenAI has none (413, `Requested`). */
export function plainWording(complaint: Complaint): Wording {
  switch (complaint.kind) {
    case 'quota':
      return refusal(429, quotaMessage(complaint.model, complaint.exceeded[0]), {
        type: metricWord(complaint.exceeded[0].limit.metric),
      });
    case 'concurrency':
      return refusal(
        429,
        `Too many concurrent requests for \`${complaint.model}\`: limit ${complaint.limit}. Please try again.`,
        { type: 'requests' },
      );
    case 'too-large':
      return refusal(413, tooLargeMessage(complaint.model, complaint.limit, complaint.requested), {
        type: metricWord(complaint.limit.metric),
      });
    case 'insufficient-quota':
      return wording(429, 'You exceeded your current quota, please check your plan and billing details.', {
        type: 'insufficient_quota',
        code: 'insufficient_quota',
      });
    case 'bad-key':
      return wording(400, 'API key not valid. Please pass a valid API key.', { code: 'invalid_api_key' });
    case 'unauthorized':
      return wording(401, 'Incorrect API key provided.', { code: 'invalid_api_key' });
    case 'forbidden':
      return wording(403, 'Your request was refused for this account or region.', {
        type: 'permission_error',
        code: 'forbidden',
      });
    case 'payment-required':
      return wording(402, 'A payment method is required to use this model.', {
        type: 'billing_error',
        code: 'payment_required',
      });
    case 'server-error':
      return wording(500, 'The server had an error while processing your request. Sorry about that!', {
        type: 'server_error',
      });
    case 'overloaded':
      return wording(503, 'The engine is currently overloaded, please try again later.', {
        type: 'server_error',
      });
    case 'context-length':
    case 'body-too-large':
    case 'bad-parameter':
    case 'bad-request':
    case 'model-not-found':
    case 'model-retired':
    case 'no-such-route':
      return clientError(complaint);
  }
}

function clientError(
  complaint: ComplaintOf<
    | 'context-length'
    | 'body-too-large'
    | 'bad-parameter'
    | 'bad-request'
    | 'model-not-found'
    | 'model-retired'
    | 'no-such-route'
  >,
): Wording {
  switch (complaint.kind) {
    case 'context-length':
      return wording(400, contextMessage(complaint.contextTokens, complaint.size), {
        code: 'context_length_exceeded',
        parameter: 'messages',
      });
    case 'body-too-large':
      return wording(413, `Request body is larger than ${complaint.maxBytes} bytes.`, {
        code: 'request_too_large',
      });
    case 'bad-parameter':
      return wording(
        400,
        `Unsupported parameter: '${complaint.parameter}' is not supported with this model.`,
        { code: 'unsupported_parameter', parameter: complaint.parameter },
      );
    case 'bad-request':
      return wording(400, complaint.message, { code: 'invalid_request', parameter: complaint.parameter });
    case 'model-not-found':
      return wording(
        404,
        `The model \`${complaint.model}\` does not exist or you do not have access to it.`,
        { code: 'model_not_found' },
      );
    case 'model-retired':
      return wording(
        410,
        `The model \`${complaint.model}\` has reached its end of life and is no longer available.`,
        { code: 'model_retired' },
      );
    case 'no-such-route':
      return wording(404, `Unknown request URL: ${complaint.method} ${complaint.path}.`, {
        code: 'unknown_url',
      });
  }
}

function refusal(status: number, message: string, extra: { readonly type: string }): Wording {
  return wording(status, message, { ...extra, code: 'rate_limit_exceeded' });
}

function wording(
  status: number,
  message: string,
  extra: { readonly type?: string; readonly code?: string; readonly parameter?: string | null },
): Wording {
  const { type = 'invalid_request_error', code = null, parameter = null } = extra;
  return { status, message, type, code, parameter };
}
