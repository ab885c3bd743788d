// The pages: each shows what is the shop's own, and runs one target of an extension beside it.

import { cartToken, get, keepCart, post } from './api.js';
import { html, render, say } from './dom.js';
import { cartMethods, cartSignals, methods } from './surface-api.js';
import { money } from './words.js';

const own = document.getElementById('own');

/** Runs a target of an extension where extensions stand on these pages. */
const run = (handle, target, options) =>
  extensionHost.run(document.getElementById('extension'), { folder: '/demo/bundles', handle, target, ...options });

const surface = () => get('/demo/api/surface');

const row = (label, amount, currency, kind = '') =>
  html`<div class="${kind}">
    <dt>${label}</dt>
    <dd>${money(amount, currency)}</dd>
  </div>`;

const named = ({ title, variant_title: variant }) =>
  !variant || variant === 'Default Title' ? title : `${title}, ${variant}`;

/** The lines and what they come to. */
function summary({ lines, shipping, discounts = [], total, currency }) {
  const line = (it) =>
    html`<li><span>${it.quantity} × ${named(it)}</span><span>${money(it.price, currency)}</span></li>`;
  return html`<ul>
      ${lines.map(line)}
    </ul>
    <dl>
      ${shipping && row('Delivery', shipping.price, currency)}
      ${discounts.map(({ title, amount }) => row(title, -amount, currency, 'given'))}
      ${row('Total', total, currency, 'total')}
    </dl>`;
}

export async function checkout() {
  if (!cartToken())
    return render(
      own,
      html`<h1>Checkout</h1>
        <p>Your cart is empty.</p>`,
    );
  let quote;
  async function look() {
    const [checkout, { app_metafields: entries, app_url: app }] = await Promise.all([get('/shop/checkout'), surface()]);
    quote = checkout;
    const pay = html`<button class="primary" id="pay">Pay</button>`;
    render(
      own,
      html`<h1 tabindex="-1">Checkout</h1>
        ${summary(quote)}${quote.lines.length > 0 && pay}`,
    );
    return { app, signals: cartSignals(quote, entries) };
  }
  const { app, signals } = await look();
  const extension = await run('checkout-rewards', 'purchase.checkout.block.render', {
    app,
    signals: {
      ...signals,
      selectedPaymentOptions: [],
      instructions: { metafields: { canSetCartMetafields: true, canDeleteCartMetafield: true } },
    },
    methods: cartMethods(async () => {
      const now = await look();
      await Promise.all(Object.entries(now.signals).map(([path, value]) => extension.set(path, value)));
    }),
  });
  own.addEventListener('click', async ({ target }) => {
    if (target.id !== 'pay') return;
    try {
      const { order } = await post('/shop/checkout', {});
      keepCart((await post('/shop/cart', { currency: order.currency })).token);
      location.assign(`/demo/thanks?order=${order.id}`);
    } catch (problem) {
      say(problem.message, 'bad');
    }
  });
}

/** After the order: the thank-you page, and later the order's page in the account. */
export async function thanks() {
  const asked = new URLSearchParams(location.search);
  const [{ order }, { app_metafields: entries, app_url: app }] = await Promise.all([
    get(`/shop/orders/${asked.get('order')}`),
    surface(),
  ]);
  render(
    own,
    html`<h1 tabindex="-1">Thank you. ${order.name} is placed.</h1>
      ${summary(order)}`,
  );
  const id = `gid://shopify/Order/${order.id}`;
  const shown = {
    app,
    methods,
    fixed: { 'shop.storefrontUrl': location.origin },
    signals: {
      ...cartSignals({ ...order, discounts: [] }, entries),
      orderConfirmation: { order: { id }, isFirstOrder: false },
      order: { id, name: order.name },
    },
  };
  const later = asked.has('later');
  await run(
    'checkout-rewards',
    later ? 'customer-account.order-status.block.render' : 'purchase.thank-you.block.render',
    shown,
  );
}

export async function account() {
  const { app_url: app } = await surface();
  const signals = { 'localization.extensionLanguage': { isoCode: 'en' } };
  await run('account-rewards', 'customer-account.page.render', { app, methods, signals });
}
