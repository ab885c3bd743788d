// The local shop and the backend, started for a test file, with a secret that the tests know.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { after, before } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const START_TIMEOUT = 15 * 60_000; // it compiles first, if nobody has

export const API_KEY = 'official-key';
export const API_SECRET = 'official-secret';

/**
 * Starts both before the tests of a file and stops them after. The returned object has `url` (the backend), `shopUrl`
 * and `shop` (its domain) by the time a test runs. The shop has installed nothing.
 */
export function servers() {
  const found = {};
  const children = [];
  let folder;

  before(
    async () => {
      const built = spawnSync('cargo', ['build', '--locked', '--workspace', '--bins'], { cwd: root, encoding: 'utf8' });
      assert.equal(built.status, 0, built.stderr);
      folder = await mkdtemp(path.join(tmpdir(), 'loyalnest-'));
      const port = await freePort();
      found.url = `http://127.0.0.1:${port}`;

      const shop = start('devshop', ['--port', '0', '--app-url', found.url], {
        SHOPIFY_API_KEY: API_KEY,
        SHOPIFY_API_SECRET: API_SECRET,
      });
      const ready = JSON.parse(await firstLine(shop));
      Object.assign(found, { shopUrl: ready.url, shop: ready.shop });

      const backend = start('loyalnest', ['serve'], {
        SHOPIFY_API_KEY: API_KEY,
        SHOPIFY_API_SECRET: API_SECRET,
        SCOPES: granted(),
        HOST: found.url,
        PORT: String(port),
        DATABASE_URL: `sqlite://${path.join(folder, 'test.db')}`,
        LOYALNEST_ENCRYPTION_KEY: '5a'.repeat(32),
        LOYALNEST_SHOPIFY_URL: ready.url,
      });
      await answers(`${found.url}/readyz`, backend);
    },
    { timeout: START_TIMEOUT },
  );

  after(async () => {
    for (const child of children.reverse()) await stop(child);
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  function start(program, args, environment) {
    const { LOYALNEST_TEST_POSTGRES, DATABASE_URL, ...inherited } = process.env;
    const target = path.resolve(root, process.env.CARGO_TARGET_DIR ?? 'target');
    const child = spawn(path.join(target, 'debug', program), args, {
      cwd: folder,
      env: { ...inherited, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.said = [];
    child.stderr.on('data', (text) => child.said.push(text));
    children.push(child);
    return child;
  }

  return found;
}

async function stop(child) {
  if (child.exitCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const killing = setTimeout(() => child.kill('SIGKILL'), 5_000);
  await ended;
  clearTimeout(killing);
}

async function firstLine(child) {
  for await (const line of createInterface({ input: child.stdout })) return line;
  assert.fail(`it did not start:\n${child.said.join('')}`);
}

async function answers(url, child) {
  for (let attempt = 0; attempt < 300; attempt++) {
    assert.equal(child.exitCode, null, `it ended:\n${child.said.join('')}`);
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok) return;
    await sleep(100);
  }
  assert.fail(`${url} does not answer:\n${child.said.join('')}`);
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The scopes that the app asks for. */
function granted() {
  const file = readFileSync(path.join(root, 'shopify.app.toml'), 'utf8');
  return /^scopes = "(.+)"$/m.exec(file)[1];
}
