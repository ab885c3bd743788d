import '@shopify/ui-extensions/preact';

import { confirm } from './confirmation.jsx';

export default () => confirm(shopify.orderConfirmation.value.order.id);
