// Just enough to draw: text becomes elements, and what is there is changed instead of replaced, so that focus, scroll
// positions and open details survive every refresh.

class Html {
  constructor(text) {
    this.text = text;
  }
}

const ESCAPES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function text(value) {
  if (value === undefined || value === null || value === false) return '';
  if (Array.isArray(value)) return value.map(text).join('');
  if (value instanceof Html) return value.text;
  return String(value).replace(/[&<>"']/g, (sign) => ESCAPES[sign]);
}

/** A piece of page from a template literal; every value in it is escaped unless it is a piece itself. */
export function html(strings, ...values) {
  return new Html(strings.reduce((all, part, at) => all + text(values[at - 1]) + part));
}

/** Text that is HTML already; ours only. */
export const raw = (markup) => new Html(markup);

/** Makes an element's content be this piece. */
export function render(element, piece) {
  const template = document.createElement('template');
  template.innerHTML = text(piece);
  children(element, template.content);
}

const key = (node) => node.dataset?.key;

function children(from, to) {
  const wanted = [...to.childNodes];
  const keys = new Set(wanted.map(key));
  let at = from.firstChild;
  for (const next of wanted) {
    while (at && key(at) && !keys.has(key(at))) at = removed(at);
    let known = at;
    while (known && key(next) !== key(known)) known = key(next) ? known.nextSibling : undefined;
    if (known?.nodeName !== next.nodeName) {
      from.insertBefore(next, at);
    } else {
      if (known === at) at = at.nextSibling;
      else from.insertBefore(known, at);
      patch(known, next);
    }
  }
  while (at) at = removed(at);
}

function removed(node) {
  const next = node.nextSibling;
  node.remove();
  return next;
}

function patch(from, to) {
  if (from.nodeType !== Node.ELEMENT_NODE) {
    if (from.nodeValue !== to.nodeValue) from.nodeValue = to.nodeValue;
    return;
  }
  // Whether details are open, and what a slider says, is the shopper's.
  const theirs = (name) => name === 'open' || (name === 'value' && from.type === 'range');
  for (const { name, value } of to.attributes) {
    if (!theirs(name) && from.getAttribute(name) !== value) from.setAttribute(name, value);
  }
  for (const { name } of [...from.attributes]) {
    if (!theirs(name) && !to.hasAttribute(name)) from.removeAttribute(name);
  }
  children(from, to);
  if (from.dataset.value !== undefined) from.value = from.dataset.value;
}

let quiet;

/** Says something to everyone: read out by screen readers, shown for a while. */
export function say(words, kind = 'good') {
  const status = document.getElementById('status');
  status.textContent = words;
  status.dataset.kind = kind;
  clearTimeout(quiet);
  quiet = setTimeout(() => (status.textContent = ''), 7000);
}
