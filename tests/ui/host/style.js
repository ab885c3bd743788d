// How the stand-ins look: plain, in the colours and the font of the page that they stand on.

const GAPS = { none: '0', 'small-200': '0.25rem', small: '0.5rem', base: '0.875rem', large: '1.75rem' };

const gaps = Object.entries(GAPS)
  .map(([name, size]) => `:host([gap="${name}"]) > :is(.stack, .grid) { gap: ${size}; }`)
  .join('\n');

export const STYLE = new CSSStyleSheet();

STYLE.replaceSync(`
  :host { display: block; }
  :host([hidden]) { display: none; }
  *, ::slotted(*) { min-inline-size: 0; }
  h1, h2, h3 { margin: 0; font: inherit; }
  h1 { font-size: 1.5rem; font-weight: 600; margin-block-end: 1.25rem; }
  h2 { font-size: 1.05rem; font-weight: 600; margin-block-end: 0.75rem; }
  h3 { font-size: 1.6rem; font-weight: 600; }
  .stack { display: flex; flex-direction: column; }
  :host([direction="inline"]) > .stack { flex-flow: row wrap; }
  :host([alignItems="center"]) > :is(.stack, .grid) { align-items: center; }
  :host([alignItems="end"]) > :is(.stack, .grid) { align-items: end; }
  :host([justifyContent="space-between"]) > .stack { justify-content: space-between; }
  .grid { display: grid; }
  ${gaps}
  .box { border-radius: 0.6rem; }
  :host([padding="base"]) > .box { padding: 0.875rem; }
  :host([border="base"]) > .box { border: 1px solid var(--line, #d9d9d9); }
  :host([type="strong"]) { font-weight: 600; }
  :host([color="subdued"]) { color: var(--subdued, #5c5c5c); }
  .badge { padding: 0.15em 0.7em; border-radius: 1em; background: var(--accent, #1f1f1f); color: var(--ground, #fff); font-size: 0.8rem; }
  .banner { padding: 0.75rem 0.875rem; border-radius: 0.6rem; background: var(--warn, #fdf3e1); color: var(--warn-text, #5b3a00); }
  progress { display: block; inline-size: 100%; accent-color: var(--accent, #1f1f1f); }
  .spinner { display: inline-block; inline-size: 1em; block-size: 1em; border: 2px solid currentColor; border-inline-end-color: transparent; border-radius: 50%; animation: turn 0.9s linear infinite; }
  @keyframes turn { to { rotate: 1turn; } }
  @media (prefers-reduced-motion: reduce) { .spinner { animation: none; } }
  button { font: inherit; color: inherit; cursor: pointer; border-radius: 0.5rem; padding: 0.5em 1em; border: 1px solid var(--accent, #1f1f1f); background: var(--accent, #1f1f1f); color: var(--ground, #fff); }
  button.secondary { background: none; color: inherit; border-color: var(--line-strong, #767676); }
  button.link { padding: 0; border: 0; background: none; color: var(--link, #0b57b7); text-decoration: underline; }
  button:disabled { opacity: 0.55; cursor: default; }
  a { color: var(--link, #0b57b7); }
  :is(button, select, input, textarea, a):focus-visible { outline: 2px solid var(--link, #0b57b7); outline-offset: 2px; }
  label { display: grid; gap: 0.25rem; font-size: 0.85rem; color: var(--subdued, #5c5c5c); }
  :is(select, input, textarea) { font: inherit; font-size: 1rem; color: var(--text, #1f1f1f); padding: 0.45em 0.6em; border-radius: 0.5rem; border: 1px solid var(--line-strong, #767676); background: var(--ground, #fff); max-inline-size: 100%; }
  :is(input, textarea) { box-sizing: border-box; inline-size: 100%; }
  .list { padding-inline-start: 1.2em; }
  .item { display: list-item; margin-block: 0.2em; }
`);
