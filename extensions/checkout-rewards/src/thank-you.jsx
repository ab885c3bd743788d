import { confirm } from './confirmation.jsx';

export default () => confirm(shopify.orderConfirmation.value.order.id);
