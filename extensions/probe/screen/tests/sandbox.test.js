import { afterEach, expect, test, vi } from 'vitest';

import { sandbox } from '../src/sandbox.js';

afterEach(() => vi.unstubAllGlobals());

test('what is there works, and what is not is absent', async () => {
  vi.stubGlobal('atob', undefined);
  const found = await sandbox();
  expect(found).toMatchObject({ atob: 'absent', BigInt: 'works', TextDecoder: 'works', URL: 'works', crypto: 'works' });
});

test('what is there by name only is told with its reason', async () => {
  vi.stubGlobal('WebAssembly', {
    instantiate: () => Promise.reject(new Error('unsafe-eval is not allowed')),
  });
  vi.stubGlobal('btoa', () => 'nonsense');
  vi.stubGlobal('structuredClone', () => {
    throw new TypeError('forbidden');
  });
  expect(await sandbox()).toMatchObject({
    WebAssembly: 'fails: unsafe-eval is not allowed',
    btoa: 'answers something else',
    structuredClone: 'fails: forbidden',
  });
});
