import { confirm } from './confirmation.jsx';

export default () => confirm(shopify.order.value?.id);
