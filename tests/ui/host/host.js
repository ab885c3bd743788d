// The page's half: runs a target of an extension in a worker of its own and shows what it renders.

import { DOMRemoteReceiver } from '@remote-dom/core/receivers';

import { defineElements } from './elements.js';
import { rpc } from './rpc.js';

/**
 * @param root the element that shows the extension
 * @param {{
 *   folder: string, handle: string, target: string, language?: string, app?: string, without?: string[],
 *   signals?: Record<string, any>, fixed?: Record<string, any>, methods?: Record<string, Function>,
 * }} options `folder` has what `bundle.mjs` made; `app` is where the app is, if not where the bundle takes it to be
 * @returns {Promise<{ set: (path: string, value: any) => Promise<void>, stop: () => void }>}
 */
export async function run(
  root,
  { folder, handle, target, language = 'en', signals = {}, fixed = {}, methods = {}, app = '', without = [] },
) {
  const surface = target.startsWith('purchase.') ? 'checkout' : 'customer-account';
  defineElements();
  const { words } = await (await fetch(`${folder}/${handle}.json`)).json();
  root.lang = language;
  const receiver = new DOMRemoteReceiver({ root, elements: policies(ELEMENTS[surface]) });
  const worker = new Worker(`${folder}/worker.js`);
  const extension = rpc(
    { send: (message) => worker.postMessage(message) },
    {
      mutate: (records) => receiver.connection.mutate(records),
      element: (id, method, args) => receiver.connection.call(id, method, ...args),
      method: (path, args) => methods[path](...args),
      failed: (reason) => reportError(new Error(`the extension failed: ${reason}`)),
    },
  );
  worker.onmessage = ({ data }) => extension.receive(data);
  worker.onerror = ({ message }) => reportError(new Error(`the extension's worker failed: ${message}`));
  // An extension renders, and may go on working after that.
  extension
    .call('start', {
      bundle: new URL(`${folder}/${handle}.js`, location.href).href,
      target,
      surface,
      signals,
      fixed,
      methods: Object.keys(methods),
      app,
      without,
      language,
      words: words[language] ?? words[language.split('-')[0]] ?? words.en,
    })
    .catch(reportError);
  return {
    set: (path, value) => extension.call('set', path, value),
    stop: () => worker.terminate(),
  };
}

/** Nothing else is let onto the page than what Shopify's types name. */
function policies(elements) {
  const properties = (names) => Object.fromEntries(names.map((name) => [name, { attribute: false }]));
  const listened = (names) => Object.fromEntries(names.map((name) => [name, {}]));
  return Object.fromEntries(
    Object.entries(elements).map(([name, known]) => [
      name,
      { properties: properties(known.properties), events: listened(known.events), attributes: ['slot'], methods: [] },
    ]),
  );
}
