// The worker's half: an extension's bundle, the DOM that it renders into, and the `shopify` global.

import { listen, load, send } from './port.js';
import '@remote-dom/core/polyfill';
import { createRemoteElement, RemoteRootElement } from '@remote-dom/core/elements';

import { i18n } from './i18n.js';
import { rpc } from './rpc.js';
import { HostSignal, useSignals } from './signal.js';

const targets = new Map();
const signals = new Map();

const page = rpc({ send }, { start, set: (path, value) => signals.get(path).set(value) });
listen((message) => page.receive(message));
self.addEventListener('unhandledrejection', ({ reason }) => page.call('failed', String(reason?.stack ?? reason)));

/**
 * Runs a target of a bundle.
 *
 * @param about.surface which elements there are
 * @param about.signals values that change, by path such as `localization.currency`
 * @param about.fixed values that do not
 * @param about.methods what is asked of the page, by path
 * @param about.without globals that this sandbox lacks, as some may
 */
async function start({ bundle, target, surface, signals: changing, fixed, methods, words, language, app, without }) {
  for (const name of without) lose(name);
  defineElements(surface);
  globalThis.fetch = routed(globalThis.fetch, app);
  const api = { i18n: i18n(words, language), extend: (name, run) => targets.set(name, run), setSignals: useSignals };
  for (const [path, value] of Object.entries(changing)) {
    signals.set(path, new HostSignal(value));
    put(api, path, signals.get(path));
  }
  for (const [path, value] of Object.entries(fixed)) put(api, path, value);
  for (const path of methods) put(api, path, (...args) => page.call('method', path, args));
  globalThis.shopify = api;

  load(bundle);
  const root = document.createElement('remote-root');
  Object.defineProperty(document, 'body', { value: root });
  root.connect({
    mutate: (records) => page.call('mutate', records),
    call: (id, method, ...args) => page.call('element', id, method, args),
  });
  await targets.get(target)();
}

/** Some globals are a worker's own, others its prototypes'. */
function lose(name) {
  for (let owner = globalThis; owner; owner = Object.getPrototypeOf(owner)) delete owner[name];
}

/** Sets `a.b.c` of an object. */
function put(object, path, value) {
  const names = path.split('.');
  const last = names.pop();
  const inner = names.reduce((branch, name) => (branch[name] ??= {}), object);
  inner[last] = value;
}

/** The bundle knows the app by its public address; here it is elsewhere. */
const routed = (fetch, app) => (url, options) => fetch(app ? url.replace(APP_URL, app) : url, options);

function defineElements(surface) {
  customElements.define('remote-root', RemoteRootElement);
  for (const [name, { properties, events }] of Object.entries(ELEMENTS[surface])) {
    const listened = events.map((event) => [event, { dispatchEvent: event === 'change' ? takeValue : undefined }]);
    customElements.define(name, createRemoteElement({ properties, events: Object.fromEntries(listened) }));
  }
}

/** What a shopper chose is there when the extension hears of it. */
function takeValue(value) {
  this.value = value;
}
