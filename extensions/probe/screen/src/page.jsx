// In the customer account: the sandbox.

import '@shopify/ui-extensions/preact';

import { render } from 'preact';

import { report } from './report.js';
import { sandbox } from './sandbox.js';
import { Screen } from './screen.jsx';

export default async function page() {
  const text = report('customer-account.page.render', { sandbox: await sandbox() });
  console.log(text);
  render(<Screen first={text} />, document.body);
}
