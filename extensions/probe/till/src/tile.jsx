import '@shopify/ui-extensions/preact';

import { render } from 'preact';

export default async function tile() {
  render(<s-tile heading="LoyalNest probe" onClick={() => shopify.action.presentModal()} />, document.body);
}
