// Stand-ins for the `s-*` elements that the extensions use: good enough to look at, and to operate by keyboard.

import { STYLE } from './style.js';

/** Tag names, the properties that change how they look, and what is inside. */
const KINDS = {
  's-page': [['heading'], ({ heading }) => [heading && h('h1', {}, heading), h('slot')]],
  's-section': [
    ['heading', 'accessibilityLabel'],
    ({ heading, accessibilityLabel }) => [
      h('section', { 'aria-label': accessibilityLabel ?? heading }, heading && h('h2', {}, heading), h('slot')),
    ],
  ],
  's-stack': [
    ['direction', 'gap', 'alignItems', 'justifyContent', 'accessibilityRole'],
    (it) => {
      reflect(it, ['direction', 'gap', 'alignItems', 'justifyContent']);
      return [h('div', { class: 'stack', role: it.accessibilityRole }, h('slot'))];
    },
  ],
  's-grid': [
    ['gridTemplateColumns', 'gap', 'alignItems'],
    (it) => {
      reflect(it, ['gap', 'alignItems']);
      const grid = h('div', { class: 'grid' }, h('slot'));
      grid.style.gridTemplateColumns = it.gridTemplateColumns ?? '';
      return [grid];
    },
  ],
  's-box': [
    ['padding', 'border'],
    (it) => {
      reflect(it, ['padding', 'border']);
      return [h('div', { class: 'box' }, h('slot'))];
    },
  ],
  's-text': [
    ['type', 'color', 'tone'],
    (it) => {
      reflect(it, ['type', 'color', 'tone']);
      return [h('slot')];
    },
  ],
  's-heading': [[], () => [h('h3', {}, h('slot'))]],
  's-badge': [[], () => [h('span', { class: 'badge' }, h('slot'))]],
  's-banner': [
    ['tone', 'heading'],
    (it) => {
      reflect(it, ['tone']);
      return [h('div', { class: 'banner', role: it.tone === 'critical' ? 'alert' : 'status' }, h('slot'))];
    },
  ],
  's-spinner': [
    ['accessibilityLabel'],
    ({ accessibilityLabel: label }) => [
      h('span', { class: 'spinner', ...(label ? { role: 'img', 'aria-label': label } : { 'aria-hidden': 'true' }) }),
    ],
  ],
  's-progress': [
    ['value', 'max', 'accessibilityLabel'],
    ({ value, max, accessibilityLabel }) => [h('progress', { value, max, 'aria-label': accessibilityLabel })],
  ],
  's-button': [
    ['disabled', 'variant', 'accessibilityLabel', 'command', 'commandFor'],
    (it) => {
      const button = h(
        'button',
        {
          type: 'button',
          class: it.variant ?? 'auto',
          'aria-label': it.accessibilityLabel,
          disabled: it.disabled ? '' : undefined,
        },
        h('slot'),
      );
      if (it.command === '--copy') button.onclick = () => copy(it.getRootNode().getElementById(it.commandFor));
      return [button];
    },
  ],
  's-text-field': [
    ['label', 'value', 'readOnly'],
    ({ label, value, readOnly }) => [
      h('label', {}, label ?? '', h('input', { value: value ?? '', readonly: readOnly ? '' : undefined })),
    ],
  ],
  's-text-area': [
    ['label', 'value', 'readOnly', 'rows'],
    ({ label, value, readOnly, rows }) => [
      h('label', {}, label ?? '', h('textarea', { readonly: readOnly ? '' : undefined, rows }, value ?? '')),
    ],
  ],
  's-clipboard-item': [['text'], () => []],
  's-link': [
    ['href', 'target', 'accessibilityLabel'],
    ({ href, target, accessibilityLabel }) => [
      // What extensions link to among themselves leads nowhere here.
      href?.startsWith('http')
        ? h('a', { href, target, rel: 'noopener', 'aria-label': accessibilityLabel }, h('slot'))
        : h('button', { type: 'button', class: 'link', 'aria-label': accessibilityLabel }, h('slot')),
    ],
  ],
  's-unordered-list': [[], () => [h('div', { class: 'list', role: 'list' }, h('slot'))]],
  's-list-item': [[], () => [h('div', { class: 'item', role: 'listitem' }, h('slot'))]],
};

/** What a button with that command does to a clipboard item. */
async function copy(item) {
  const outcome = await navigator.clipboard.writeText(item.text).then(
    () => 'copy',
    () => 'copyerror',
  );
  item.dispatchEvent(new CustomEvent(outcome));
}

function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) if (value !== undefined) element.setAttribute(key, value);
  element.append(...children.filter(Boolean));
  return element;
}

/** Properties that the style looks at. */
function reflect(element, names) {
  for (const name of names) element.toggleAttribute(name, false);
  for (const name of names) if (element[name] != null) element.setAttribute(name, element[name]);
}

class Stand extends HTMLElement {
  constructor() {
    super();
    this.attachShadow({ mode: 'open', delegatesFocus: true }).adoptedStyleSheets = [STYLE];
    this.draw();
  }

  draw() {
    const focused = this.shadowRoot.activeElement !== null;
    this.shadowRoot.replaceChildren(...this.constructor.inside(this).filter(Boolean));
    if (focused) this.focus();
  }
}

/** Lets a class draw itself anew whenever one of these properties changes. */
function drawnBy(Class, names) {
  for (const name of names) {
    const values = new WeakMap();
    Object.defineProperty(Class.prototype, name, {
      get() {
        return values.get(this);
      },
      set(value) {
        if (values.get(this) === value) return;
        values.set(this, value);
        this.draw();
      },
    });
  }
}

/** A select with the options that stand in it. */
class Select extends Stand {
  static inside = ({ label, disabled }) => [
    h('label', {}, label ?? '', h('select', { disabled: disabled ? '' : undefined })),
  ];

  draw() {
    super.draw();
    const select = this.shadowRoot.querySelector('select');
    const options = [...this.querySelectorAll('s-option')];
    select.append(...options.map((option) => h('option', { value: option.value ?? '' }, option.textContent)));
    select.value = this.value ?? '';
    select.onchange = () => this.dispatchEvent(new CustomEvent('change', { detail: select.value }));
  }

  connectedCallback() {
    this.observer = new MutationObserver(() => this.draw());
    this.observer.observe(this, { childList: true, characterData: true, subtree: true });
    this.draw();
  }

  disconnectedCallback() {
    this.observer.disconnect();
  }
}

class Option extends HTMLElement {}

export function defineElements() {
  if (customElements.get('s-text')) return;
  for (const [name, [properties, inside]] of Object.entries(KINDS)) {
    const Class = class extends Stand {
      static inside = inside;
    };
    drawnBy(Class, properties);
    customElements.define(name, Class);
  }
  drawnBy(Select, ['label', 'disabled', 'value']);
  customElements.define('s-select', Select);
  customElements.define('s-option', Option);
}
