// Under the glass: what the shop's metafield, the ledger, the Functions and the webhooks say.

import { html } from './dom.js';
import { state } from './state.js';
import { change, number, time } from './words.js';

const BUDGET = 11_000_000; // instructions, for up to 200 lines; the platform gives more for more

export function drawGlass() {
  return html`${metafield()} ${ledger()} ${functions()} ${webhooks()}`;
}

function section(title, aside, body) {
  const id = `glass-${title.toLowerCase().replaceAll(' ', '-')}`;
  return html`<section data-key="${title}" aria-labelledby="${id}">
    <header><h3 id="${id}">${title}</h3><span class="aside">${aside}</span></header>
    ${body}
  </section>`;
}

// ── The account metafield ──────────────────────────────────────────────────────────────────────────────────────────

function metafield() {
  const account = state.glass.account;
  const title = 'Account metafield';
  if (!account) return section(title, '', html`<p class="empty">Sign in to see one.</p>`);
  if (!account.value) return section(title, '', html`<p class="empty">Not written yet: the first order will.</p>`);
  const { at, digest, writes, value, before } = account;
  const aside = html`${time(at)} · write ${writes}`;
  return section(title, aside, html`<pre tabindex="0" aria-label="Account metafield, what changed last is marked">${json(
    JSON.parse(value),
    before && JSON.parse(before),
  )}</pre>
    <p class="digest"><span class="aside">digest</span> <code title="${digest}">${digest.slice(0, 16)}…</code></p>`);
}

/** JSON, a member to a line; members that are not as they were `before` are marked. */
function json(value, before) {
  const marked = (name) => before && JSON.stringify(value[name]) !== JSON.stringify(before[name]);
  const gone = Object.keys(before ?? {}).filter((name) => !(name in value));
  const names = Object.keys(value);
  const member = (name, at) => {
    const text = `${JSON.stringify(name)}: ${JSON.stringify(value[name], null, 2)}`.replaceAll('\n', '\n  ');
    const line = html`  ${coloured(text)}${at < names.length - 1 && ','}\n`;
    return marked(name) ? html`<mark data-key="${name}">${line}</mark>` : line;
  };
  return html`{\n${names.map(member)}${gone.map((name) => html`<del>  ${JSON.stringify(name)}\n</del>`)}}`;
}

const TOKENS = /("(?:[^"\\]|\\.)*")(\s*:)?|-?\d[\d.e+-]*|true|false|null/gi;

function coloured(text) {
  const out = [];
  let end = 0;
  for (const token of text.matchAll(TOKENS)) {
    const kind = token[2] ? 'name' : token[1] ? 'text' : 'number';
    out.push(text.slice(end, token.index), html`<i class="${kind}">${token[1] ?? token[0]}</i>`, token[2] ?? '');
    end = token.index + token[0].length;
  }
  return [...out, text.slice(end)];
}

// ── The ledger ─────────────────────────────────────────────────────────────────────────────────────────────────────

const KINDS = {
  wait: 'Earned, waits',
  post: 'Paid: earned',
  void: 'Called off',
  earn: 'Earned',
  reverse: 'Taken back',
  hold: 'Set aside',
  release: 'Set free',
  capture: 'Spent',
  unbacked: 'Unbacked',
  return: 'Given back',
};

function ledger() {
  const { history, isDown, customer } = state;
  const aside = isDown ? 'as last seen' : customer && `${history.length} entries`;
  if (history.length === 0) return section('Ledger', '', html`<p class="empty">No entries.</p>`);
  const rows = history.map(({ seq, kind, source_id: source, at, ...moved }) => {
    const moves = ['available', 'pending', 'held'].filter((account) => moved[account] !== 0);
    return html`<tr data-key="${seq}-${kind}" data-kind="${kind}">
      <td class="seq">${seq}</td>
      <th scope="row">${KINDS[kind] ?? kind}<small>${sourced(source)}</small></th>
      <td>${moves.map((account) => html`<span>${change(moved[account])} <small>${account}</small></span>`)}</td>
    </tr>`;
  });
  return section('Ledger', aside, html`<div class="scroll" tabindex="0" role="region" aria-label="Ledger entries">
    <table><caption>Entries, newest first: number, what happened, what moved</caption><tbody>${rows}</tbody></table>
  </div>`);
}

/** `order:5001#2` as people know it. */
function sourced(source) {
  const [, what, id] = source.match(/^(\w+):([^#]+)/) ?? [];
  const order = state.orders.find((known) => known.id === id);
  return order ? order.name : what === 'hold' ? `hold ${id.replaceAll('-', '').slice(-8)}` : source;
}

// ── The Functions ──────────────────────────────────────────────────────────────────────────────────────────────────

const decided = ({ output }) => output?.operations?.length > 0;
const counted = ({ instructions, exact }) => `${exact ? '' : 'about '}${number(instructions)} instructions`;

/** What the run took that gave the discount. */
export const instructions = (runs) => counted(runs.find(decided) ?? runs[0]);

function functions() {
  const { runs, lines } = state.quote;
  if (lines.length === 0) return section('Function runs', '', html`<p class="empty">Runs when the cart has a line.</p>`);
  return section('Function runs', `${runs.length} for this checkout`, runs.map(run));
}

function run(it) {
  const scale = Math.min(Math.max(0.005 * state.quote.lines.length, 1), 10);
  const share = it.instructions / (BUDGET * scale);
  const percent = new Intl.NumberFormat('en-GB', { style: 'percent', maximumSignificantDigits: 2 }).format(share);
  const target = it.target.includes('delivery') ? 'delivery' : 'lines';
  const said = it.error ?? (decided(it) ? 'gives a discount' : 'gives nothing');
  return html`<article class="run" data-key="${it.node}-${it.target}">
    <h4>${it.function} <small>${target}</small> <b data-kind="${it.error ? 'bad' : decided(it) ? 'good' : ''}">${said}</b></h4>
    <p>${counted(it)} <span class="aside">${percent} of ${number(BUDGET * scale)}</span></p>
    ${dump('Input', it.input)} ${dump('Output', it.output)}
  </article>`;
}

function dump(title, value) {
  const text = JSON.stringify(value, null, 1);
  return html`<details data-key="${title}"><summary>${title} <small>${number(text.length)} characters</small></summary>
    <pre tabindex="0" aria-label="${title}">${coloured(text)}</pre>
  </details>`;
}

// ── Webhooks ───────────────────────────────────────────────────────────────────────────────────────────────────────

function webhooks() {
  const { newest, pending, paused } = state.glass.webhooks;
  const hold = html`<button class="switch" role="switch" aria-checked="${paused}" data-do="holdWebhooks"
    data-paused="${!paused}">Hold them back</button>`;
  const rows = newest.map(({ id, topic, order, at, attempts }) => {
    const last = attempts.at(-1);
    const fate = !last ? 'waits' : last.status ? `${last.status} in ${last.ms} ms` : 'no answer';
    const kind = last?.status >= 200 && last.status < 300 ? 'good' : last ? 'bad' : '';
    const tries = attempts.length > 1 && html` <small>try ${attempts.length}</small>`;
    return html`<li data-key="${id}">
      <span>${topic} <small>${order}</small></span>
      <b data-kind="${kind}">${fate}${tries}</b>
      <time datetime="${at}">${time(at)}</time>
    </li>`;
  });
  const aside = html`${pending > 0 && html`${pending} on their way `}${hold}`;
  return section('Webhooks', aside, html`${paused && html`<p class="notice">Held back. Place an order here and one in a
    second tab: checkout gives both the same discount, and the ledger tells them apart when the webhooks arrive.</p>`}
    <ul class="webhooks">${rows}</ul>`);
}
