import { describe, expect, it } from 'vitest';
import { modelListIn } from '../../../src/adapters/openai/model-list.ts';

describe('a list of models', () => {
  it.for([
    [{ data: [{ id: 'a' }, { id: 'models/b' }] }, ['a', 'b']],
    [{ models: [{ name: 'models/c' }] }, ['c']],
    [{ result: [{ id: '7f-uuid', name: '@cf/d' }] }, ['@cf/d']],
    [[{ id: 'e' }, { description: 'no id' }], ['e']],
  ] as const)('is found in %o', ([body, ids]) => {
    expect(modelListIn(body)).toEqual({ ids, isWhole: true });
  });

  it.for([
    { data: [{ id: 'a' }], has_more: true },
    { models: [{ name: 'a' }], next_page_token: 'x' },
    { models: [{ name: 'a' }], nextPageToken: 'x' },
    { result: [{ name: 'a' }], result_info: { total_count: 2 } },
  ])('is known to be a part where it says so: %o', (body) => {
    expect(modelListIn(body)).toEqual({ ids: ['a'], isWhole: false });
  });

  it.for([null, 7, 'text', {}, { data: {} }, { data: [] }, []])('is not found in %o', (body) => {
    expect(modelListIn(body)).toBeNull();
  });
});
