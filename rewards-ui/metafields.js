// The app's own metafields, as a surface shows them: text that may be missing, old, or anything.

/** Our namespace, however a surface writes it. */
const isOurs = (namespace) => namespace === '$app' || /^app--\d+$/.test(namespace);

/** The text of one of our metafields; none where the surface has none. */
function find(entries, owner, key) {
  const found = (Array.isArray(entries) ? entries : []).find(
    (entry) => entry?.target?.type === owner && entry.metafield?.key === key && isOurs(entry.metafield.namespace),
  );
  return typeof found?.metafield.value === 'string' ? found.metafield.value : undefined;
}

export const accountOf = (entries) => find(entries, 'customer', 'account');
export const programOf = (entries) => find(entries, 'shop', 'program_ui');

/** The mark that the cart carries: which hold it wants to use. A claim, not proof. */
export function markOf(entries) {
  try {
    const { v, hold, attempt } = JSON.parse(find(entries, 'cart', 'redemption'));
    return v === 1 && typeof hold === 'string' && Number.isSafeInteger(attempt) ? { hold, attempt } : undefined;
  } catch {
    return undefined;
  }
}

/** The change that marks the cart. */
export const marking = ({ hold, attempt }) => ({
  type: 'updateCartMetafield',
  metafield: { namespace: '$app', key: 'redemption', type: 'json', value: JSON.stringify({ v: 1, hold, attempt }) },
});

/** The change that takes the mark away. */
export const UNMARKING = { type: 'removeCartMetafield', namespace: '$app', key: 'redemption' };
