// What the rules see of JavaScript's values in a checkout: each by a number, for as long as one question is answered.

import { ascii, bytes } from './rules.js';

let values = [];

/** Forgets what was asked before. The number 0 is nothing. */
export function hold(...known) {
  values = [undefined];
  return known.map(number);
}

const number = (value) => (value == null ? 0 : values.push(value) - 1);
const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const arrayAt = (of) => (Array.isArray(values[of]) ? values[of] : []);

export function field(of, name) {
  const [object, key] = [values[of], String.fromCharCode(...name)];
  return isObject(object) && Object.prototype.hasOwnProperty.call(object, key) ? number(object[key]) : 0;
}

/** What is null in an array is there, and nothing that anybody reads. */
export function element(of, place) {
  const array = arrayAt(of);
  return place < array.length ? number(array[place] ?? {}) : 0;
}

export function entries(of) {
  const object = isObject(values[of]) ? values[of] : {};
  const there = Object.keys(object).filter((name) => object[name] != null);
  return number(there.reduce((all, name) => [...all, name, object[name]], []));
}

export function kind(of) {
  const value = values[of];
  if (Number.isSafeInteger(value)) return 1;
  if (isText(value)) return 2;
  return value === true ? 3 : value === false ? 4 : 0;
}

export const high = (of) => Math.floor(values[of] / 0x100000000);
export const low = (of) => values[of] >>> 0;

/** Without its quotes, as `said` in `checkout.js` reads it again. */
export const text = (of) => bytes(ascii(JSON.stringify(values[of])).slice(1, -1));

/** Half of a pair of surrogates is no text. */
function isText(value) {
  try {
    return typeof value === 'string' && encodeURIComponent(value) !== undefined;
  } catch {
    return false;
  }
}
