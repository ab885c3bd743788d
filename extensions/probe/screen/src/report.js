// One report: what was seen, and which of the local shop's switches (`tests/devshop/src/switches.rs`) it sets.

/** All switches, by their names there. Those that no extension can answer stay open: README.md says who can. */
export const SWITCHES = [
  'metafield_freshness',
  'cart_metafield_freshness',
  'order_search',
  'order_title',
  'authentication',
  'last_units',
  'pos_cart_properties',
  'cart_to_order',
  'throttled_status',
];

/**
 * @param {string} target where it was seen
 * @param {{ sandbox: object, switches?: object, seen?: object }} found
 */
export function report(target, { sandbox, switches = {}, seen = {} }) {
  const answered = SWITCHES.filter((name) => switches[name] !== undefined);
  return JSON.stringify(
    {
      probe: 1,
      target,
      at: new Date().toISOString(),
      sandbox,
      switches: Object.fromEntries(answered.map((name) => [name, switches[name]])),
      open: SWITCHES.filter((name) => !answered.includes(name)),
      seen,
    },
    null,
    2,
  );
}
