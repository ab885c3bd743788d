// Both builds of the rules as they run at Shopify: bundled as its command line does, in a realm that has little.

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import vm from 'node:vm';
import { build } from 'esbuild';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const folder = path.join(root, 'extensions/loyalty-wasm/js');

/** A script that leaves an entry's exports in the global `loyalty`. */
export async function script(entry) {
  const options = { bundle: true, minify: true, format: 'iife', target: 'es6', globalName: 'loyalty', write: false };
  const { outputFiles } = await build({ ...options, entryPoints: [path.join(folder, entry)] });
  return outputFiles[0].text;
}

/** The WebAssembly itself. */
export const wasm = () => readFile(path.join(folder, 'built/storefront.wasm'));

/** What nobody promises to be there. */
export const NOT_PROMISED = ['WebAssembly', 'BigInt', 'TextEncoder', 'TextDecoder', 'atob', 'btoa'];

/** The rules in a realm of their own, without these globals. */
export async function inRealm(entry, { without = [], bytes } = {}) {
  const realm = vm.createContext({ bytes });
  for (const name of without) vm.runInContext(`delete globalThis.${name}`, realm);
  vm.runInContext(await script(entry), realm);
  return vm.runInContext('loyalty.rules(bytes)', realm);
}

/** Made-up inputs, and what native Rust says of them: `{ account, program, cart, answer }`. */
export const cases = (seed, count) => madeUp('answers', seed, count);

/** What an example of the crate makes up by a seed: a line each. */
export async function madeUp(example, seed, count) {
  const folder = process.env.ANSWERS ?? path.join(root, 'target/debug/examples');
  const program = path.join(folder, example);
  const lines = await new Promise((resolve, reject) => {
    execFile(program, [`${seed}`, `${count}`], { maxBuffer: 1 << 30 }, (error, stdout) => (error ? reject(error) : resolve(stdout)));
  });
  return lines.trimEnd().split('\n').map((line) => JSON.parse(line));
}
