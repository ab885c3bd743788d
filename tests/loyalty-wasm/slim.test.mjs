// What is made of wasm2js's output is sound, or is not made.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { slim } from '../../extensions/loyalty-wasm/js/slim.mjs';
import { root } from './builds.mjs';

test('the checkout has a stack on which every call fits, and nothing that only other modules need', async () => {
  const script = await readFile(path.join(root, 'target/loyalty-wasm/checkout.js'), 'utf8');
  const made = slim(script, '../host.js');
  for (const superfluous of ['Float64Array', 'Math_fround', 'base64', '__heap_base', 'retasmFunc']) {
    assert.ok(script.length > made.length && !made.includes(superfluous), superfluous);
  }
  assert.match(made, /^import \{ .* \} from '\.\.\/host\.js';/);
  assert.match(made, /^export \{ \$\d+ as offers \};$/m);
  const shallow = script.replace(/(var global\$0 = )\d+/, '$164');
  assert.throws(() => slim(shallow, '../host.js'), /do not fit into 64 of stack/);
  const beginning = (call) => script.replace(/function (\$\d+)\(.*?\) \{/, `$&\n  ${call}();`);
  assert.throws(() => slim(beginning('$1'), '../host.js'), /calls itself/);
  assert.throws(() => slim(beginning('FUNCTION_TABLE[0]'), '../host.js'), /a call has no name/);
});
