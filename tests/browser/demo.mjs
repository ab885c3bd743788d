// The demo, started for a test file.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const START_TIMEOUT = 15 * 60_000; // it compiles first, if nobody has

/**
 * Starts `cargo xtask demo` on free ports before the tests of a file and stops it after them. The returned object has
 * `url` (the storefront) and `backend` by the time a test runs.
 *
 *     const shop = demo();
 *     test('the storefront greets', async () => {
 *       const page = await open(shop.url);
 *     });
 */
export function demo() {
  const addresses = {};
  let child;

  before(
    async () => {
      child = spawn('cargo', ['xtask', 'demo', '--json', '--port', '0'], {
        cwd: root,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const said = [];
      child.stderr.on('data', (text) => said.push(text));
      Object.assign(addresses, await firstLine(child, said));
    },
    { timeout: START_TIMEOUT },
  );

  after(async () => {
    if (child?.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
  });

  return addresses;
}

/** The JSON object on the first line of the child's output; what it said instead if it ends without one. */
async function firstLine(child, said) {
  for await (const line of createInterface({ input: child.stdout })) {
    return JSON.parse(line);
  }
  assert.fail(`the demo did not start:\n${said.join('')}`);
}
