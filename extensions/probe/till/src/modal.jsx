// At a till: the sandbox, and whether the Function sees a property of the cart.

import '@shopify/ui-extensions/preact';

import { render } from 'preact';
import { useState } from 'preact/hooks';

import { decode } from '../../screen/src/echo.js';
import { report } from '../../screen/src/report.js';
import { sandbox } from '../../screen/src/sandbox.js';

const TARGET = 'pos.home.modal.render';
/** How long the till may take to ask the Functions anew. */
const PATIENCE = 10_000;

const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** What the Function echoes in this cart's discounts; nothing where a till does not show it. */
function echoed() {
  const { cartDiscounts = [] } = shopify.cart.current.value;
  const ours = cartDiscounts.filter(({ discountDescription }) => /^probe/i.test(discountDescription ?? ''));
  return ours.map(({ amount }) => decode(Math.round(amount * 100))).find(Boolean);
}

/** Sets the property that the Function asks for, and waits for an echo that has it. */
async function ask() {
  await shopify.cart.addCartProperties({ _probe: '1' });
  for (let waited = 0; waited < PATIENCE && !echoed()?.attribute; waited += 500) await sleep(500);
  const echo = echoed();
  return { echo, switches: { pos_cart_properties: echo && (echo.attribute ? 'visible' : 'hidden') } };
}

export default async function modal() {
  const tried = await sandbox();
  render(<Till tried={tried} />, document.body);
}

function Till({ tried }) {
  const [text, show] = useState(report(TARGET, { sandbox: tried }));
  const [busy, work] = useState(false);

  async function run() {
    work(true);
    const { echo, switches } = await ask().catch((error) => ({ echo: String(error), switches: {} }));
    const cart = shopify.cart.current.value;
    const said = report(TARGET, { sandbox: tried, switches, seen: { echo, cartDiscounts: cart.cartDiscounts, properties: cart.properties } });
    console.log(said);
    show(said);
    work(false);
  }

  return (
    <s-page heading="LoyalNest probe">
      <s-scroll-box>
        <s-button disabled={busy} onClick={run}>
          Set a property of the cart
        </s-button>
        <s-text-area label="Report" value={text} />
      </s-scroll-box>
    </s-page>
  );
}
