/** `GET /<provider>/v1/models` and `GET /<provider>/v1/models/<model>`, in OpenAI's form. */
import type { Reply } from '../dialects/dialect.ts';
import { jsonReply } from '../dialects/dialect.ts';
import type { ProviderState } from '../state.ts';
import type { SimulatedModel } from '../tier.ts';

/** All models, or the one of `modelPath` (raw or URL-encoded), or a 404 that names it. */
export function modelsReply(provider: ProviderState, modelPath: string | null, startedAtMs: number): Reply {
  const createdAtS = Math.floor(startedAtMs / 1_000);
  if (modelPath === null) {
    const data = provider.tier.models.map((model) => listing(model, provider, createdAtS));
    return jsonReply(200, { object: 'list', data });
  }
  const id = decoded(modelPath);
  const state = provider.models.get(id);
  if (state === undefined) return provider.dialect.refuse({ kind: 'model-not-found', model: id });
  return jsonReply(200, listing(state.model, provider, createdAtS));
}

function listing(model: SimulatedModel, provider: ProviderState, createdAtS: number) {
  return {
    id: model.id,
    object: 'model',
    created: createdAtS,
    owned_by: provider.tier.id,
    context_window: model.contextTokens,
    max_completion_tokens: model.maxOutputTokens,
  };
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
