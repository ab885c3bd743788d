// What shoppers load stays as small as we promise.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { bundleAll } from '../ui/bundle.mjs';
import { sizes } from './sizes.mjs';

test('no extension that shoppers load is larger than it may be', async (t) => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'loyalnest-bundles-'));
  t.after(() => rm(folder, { recursive: true }));
  await bundleAll(folder);
  const bundles = await sizes(folder);
  const names = bundles.map(({ name }) => name);
  for (const known of ['checkout-rewards', 'account-rewards', 'storefront-rewards/assets/loader.js']) {
    assert.ok(names.includes(known), `${known} is not among ${names}`);
  }
  for (const { name, deflate_bytes: bytes, most } of bundles) {
    assert.ok(bytes > 0 && bytes <= most, `${name} has ${bytes} bytes of ${most}`);
  }
});
