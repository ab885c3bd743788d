// The rules as WebAssembly.

import * as glue from './built/storefront_bg.js';
import { rulesOf } from './rules.js';

/** @type {import('./index.d.ts').rules} */
export async function rules(bytes) {
  const { instance } = await WebAssembly.instantiate(await bytes, {});
  return rulesOf(glue, instance.exports);
}
