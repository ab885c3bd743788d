// Elements from calls. Text is always text: nothing that a merchant or a shopper wrote is read as markup.

const SVG = 'http://www.w3.org/2000/svg';

/** `h('p', { class: 'quiet' }, 'words')`; a property that begins with `on` is a listener, false and null are left out. */
export function h(tag, properties = {}, ...children) {
  const element = tag === 'svg' || tag === 'path' ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === false || value == null) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat(2).filter((child) => child || child === 0));
  return element;
}

/** Puts other content into a root; the focus stays on what has the same `data-key`. */
export function fill(root, ...content) {
  const key = root.getRootNode().activeElement?.dataset.key;
  root.replaceChildren(...content);
  if (key) root.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus();
}
