// As WebAssembly where that is there and allowed, else as JavaScript. A bundle that wants one of them alone imports
// `loyalty-wasm/wasm` or `loyalty-wasm/js`.

import { rules as asJavaScript } from './js.js';
import { rules as asWebAssembly } from './wasm.js';

/** @type {import('./index.d.ts').rules} */
export async function rules(bytes) {
  try {
    return await asWebAssembly(bytes);
  } catch {
    return asJavaScript();
  }
}
