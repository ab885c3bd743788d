// The panel's frame: a dialog of the browser's own in a shadow root, so that no theme restyles it by accident, in the
// theme's fonts and colours.

import { h } from './dom.js';

/** An empty dialog on the page: `content` is where its content belongs, `said` where it says what happened. */
export function dialog({ say }, closed) {
  const host = document.createElement('loyalnest-panel');
  const sheet = h('link', { rel: 'stylesheet', href: new URL('panel.css', import.meta.url) });
  const content = h('div', { class: 'content' });
  const close = h('button', { type: 'button', class: 'close', 'aria-label': say('panel.close') });
  // There from the beginning, so that screen readers tell what is put into it.
  const said = h('p', { class: 'said', role: 'status' });
  const it = h('dialog', { 'aria-labelledby': 'title' }, close, content, said);
  close.append(h('svg', { viewBox: '0 0 16 16', 'aria-hidden': 'true' }, h('path', { d: 'M3 3l10 10M13 3L3 13' })));
  close.addEventListener('click', () => it.close());
  // A press beside the panel lands on the dialog itself.
  it.addEventListener('click', ({ target }) => target === it && it.close());
  it.addEventListener('close', closed);
  host.attachShadow({ mode: 'open' }).append(sheet, it);
  it.styled = new Promise((done) => ['load', 'error'].forEach((end) => sheet.addEventListener(end, done)));
  document.body.append(host);
  return Object.assign(it, { content, said });
}

/** Gives the panel the page's background, once its style sheet is there. */
export async function theme(it) {
  const solid = (element) => {
    const { backgroundColor } = getComputedStyle(element);
    return /^(transparent|rgba\(.*, 0\))$/.test(backgroundColor) ? undefined : backgroundColor;
  };
  const background = solid(document.body) ?? solid(document.documentElement) ?? 'Canvas';
  it.style.setProperty('--background', background);
  await it.styled;
}
