// After the order: what its discount is called.

import '@shopify/ui-extensions/preact';

import { render } from 'preact';

import { called } from './echo.js';
import { report } from './report.js';
import { sandbox } from './sandbox.js';
import { Screen } from './screen.jsx';
import { echoed } from './watch.js';

const TARGET = 'purchase.thank-you.block.render';

export default async function thankYou() {
  const echo = echoed(shopify.discountAllocations.value);
  const switches = { order_title: echo && called(echo.title, echo) };
  const text = report(TARGET, { sandbox: await sandbox(), switches, seen: { echo } });
  console.log(text);
  render(<Screen first={text} />, document.body);
}
