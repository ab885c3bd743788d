// The rules as JavaScript that was made of the same WebAssembly, for wherever that is not allowed.

import * as glue from './built/storefront_bg.js';
import * as exports from './built/storefront.wasm.js';
import { rulesOf } from './rules.js';

/** @type {import('./index.d.ts').rules} */
export async function rules() {
  return rulesOf(glue, exports);
}
