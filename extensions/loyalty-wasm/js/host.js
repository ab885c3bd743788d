// What the rules see of JavaScript's values in a checkout: each by a number, for as long as one question is answered.
// `src/host.rs` has the other side.

import { memory } from './built/checkout.js';
import { ascii, text as read } from './rules.js';

let values;
let said;
let written;

/** What is said while something is asked of these values. The number 0 is nothing. */
export function listen(known, ask) {
  [values, said] = [[undefined], []];
  ask(...known.map(numbered));
  return said;
}

const numbered = (value) => (value == null ? 0 : values.push(value) - 1);
const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const textAt = (at, length) => read(memory.subarray(at, at + length));

export function field(of, at, length) {
  const [object, key] = [values[of], textAt(at, length)];
  return isObject(object) && Object.prototype.hasOwnProperty.call(object, key) ? numbered(object[key]) : 0;
}

/** What is null in an array is there, and nothing that anybody reads. */
export function element(of, place) {
  const array = values[of];
  return Array.isArray(array) && place < array.length ? numbered(array[place] ?? {}) : 0;
}

export function entries(of) {
  const object = isObject(values[of]) ? values[of] : {};
  return numbered(Object.entries(object).filter(([, value]) => value != null));
}

export function kind(of) {
  const value = values[of];
  if (Number.isSafeInteger(value)) return 1;
  if (isText(value)) return 2;
  return value === true ? 3 : value === false ? 4 : 0;
}

export const high = (of) => Math.floor(values[of] / 0x100000000);
export const low = (of) => values[of] >>> 0;

/** Half of a pair of surrogates is no text. */
function isText(value) {
  try {
    return typeof value === 'string' && encodeURIComponent(value) !== undefined;
  } catch {
    return false;
  }
}

/** Without its quotes, as `text` reads it again. */
export function length(of) {
  written = ascii(JSON.stringify(values[of])).slice(1, -1);
  return written.length;
}

export function copy(of, into) {
  for (const byte of written) memory[into++] = byte.charCodeAt();
}

export const number = (high, low) => said.push(high * 0x100000000 + (low >>> 0));
export const nothing = () => said.push(null);
export const text = (at, length) => said.push(JSON.parse(`"${textAt(at, length)}"`));
