// How far a member is from tier to tier, as the app says it.

import { isObject, isText } from '../../../rewards-ui/client.js';

/** What the next tier takes, and until when there is enough for the own one. @returns {Promise<import('../../../rewards-ui/client.js').Answer>} */
export const askProgress = (app) => app.ask('GET', '/tier', isProgress);

const isProgress = (it) =>
  isObject(it) && [it.tier, it.next].every(isTier) && (isText(it.currency) || (it.tier ?? it.next) === null);
const isTier = (it) =>
  it === null || (isObject(it) && isText(it.id) && isText(it.name) && (it.takes === null || isTakes(it.takes)));
const isTakes = (it) =>
  isObject(it) &&
  [it.measure, it.from].every(isText) &&
  [it.at_least, it.has, it.missing].every(Number.isSafeInteger) &&
  (it.until === null || isText(it.until));
