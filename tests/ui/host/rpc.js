// Calls between a page and its worker. Functions stay where they are: the other side gets one that calls back.

/**
 * @param {{ send: (message: any) => void }} port
 * @param {Record<string, Function>} offers what the other side may call
 */
export function rpc(port, offers) {
  const kept = new Map();
  const ids = new WeakMap();
  const asked = new Map();
  let last = 0;

  const pack = (value) => {
    if (typeof value === 'function') {
      if (!ids.has(value)) {
        ids.set(value, (last += 1));
        kept.set(last, value);
      }
      return { $function: ids.get(value) };
    }
    if (Array.isArray(value)) return value.map(pack);
    if (value && typeof value === 'object') {
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, pack(inner)]));
    }
    return value;
  };
  const theirs = new Map();
  const unpack = (value) => {
    if (Array.isArray(value)) return value.map(unpack);
    if (!value || typeof value !== 'object') return value;
    if ('$function' in value) {
      const id = value.$function;
      if (!theirs.has(id)) theirs.set(id, (...args) => call(id, args));
      return theirs.get(id);
    }
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, unpack(inner)]));
  };

  function call(what, args) {
    const id = (last += 1);
    port.send({ id, what, args: pack(args) });
    return new Promise((resolve, reject) => asked.set(id, { resolve, reject }));
  }

  return {
    call: (name, ...args) => call(name, args),
    /** Takes what the other side sent. */
    async receive({ id, what, args, value, error }) {
      if (what === undefined) {
        const { resolve, reject } = asked.get(id);
        asked.delete(id);
        return error === undefined ? resolve(unpack(value)) : reject(new Error(error));
      }
      try {
        const run = typeof what === 'number' ? kept.get(what) : offers[what];
        port.send({ id, value: pack(await run(...unpack(args))) });
      } catch (thrown) {
        port.send({ id, error: String(thrown?.message ?? thrown) });
      }
    },
  };
}
