// The rules for tills, as JavaScript: what is kept, told and shown while there is no connection.

import * as glue from './built/till_bg.js';
import * as exports from './built/till.wasm.js';
import { json, number, text } from './rules.js';

/** @type {import('./till.d.ts').rules} */
export async function rules() {
  glue.__wbg_set_wasm(exports);
  const ask = (what, question) => JSON.parse(text(glue.till(json({ do: what, ...question }))));

  return {
    add: (queue, { kind, order, customer }, estimate, now) =>
      ask('add', {
        queue: read(queue),
        act: { kind, order: number(order), customer: number(customer) },
        estimate,
        now: Math.trunc(now),
      }),
    batch(queue) {
      const { operations, ...rest } = ask('batch', { queue: read(queue) });
      return { ...rest, operations: operations.map(told) };
    },
    acknowledge(queue, answer) {
      const { next, results } = Object(answer);
      const said = ask('acknowledge', { queue: read(queue), next, results });
      const of = (operation) => results.find(({ sequence }) => sequence === operation.sequence);
      return { ...said, settled: said.settled?.map((operation) => ({ ...operation, said: of(operation) })) };
    },
    shown: (queue, customer, known, now) =>
      ask('shown', { queue: read(queue), customer: number(customer), known, now: Math.trunc(now) }),
  };
}

/** What was kept, as it was stored: as text or as a value. */
function read(queue) {
  try {
    return typeof queue === 'string' ? JSON.parse(queue) : queue;
  } catch {
    return null;
  }
}

/** An operation as the app takes it. */
const told = ({ at, ...operation }) => ({ ...operation, at: new Date(at).toISOString() });
