import '@shopify/ui-extensions/preact';

import { confirm } from './confirmation.jsx';

export default () => confirm(shopify.order.value?.id);
