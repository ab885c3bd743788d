// The rules for tills: JavaScript says what native Rust says, where little is there.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { inRealm, madeUp, NOT_PROMISED, script } from './builds.mjs';
import { workers } from './workers.mjs';

const COUNT = Number(process.env.CASES ?? 5_000);
const SEED = 20261127;

const rules = () => inRealm('till.js', { without: NOT_PROMISED });
const here = (value) => JSON.parse(JSON.stringify(value));

/** Asks what a question asks. */
function ask(till, { do: what, queue, act, estimate, next, results, customer, known, now }) {
  if (what === 'add') return till.add(queue, act, estimate, now);
  if (what === 'batch') return till.batch(queue);
  if (what === 'acknowledge') return till.acknowledge(queue, { next, results });
  return till.shown(queue, customer, known, now);
}

/** The answer of native Rust as JavaScript gives it: with dates, and beside what is settled what was said of it. */
function given({ results }, { operations, settled, ...answer }) {
  const dated = operations?.map(({ at, ...rest }) => ({ ...rest, at: new Date(at).toISOString() }));
  const said = (it) => ({ ...it, said: results.find(({ sequence }) => sequence === it.sequence) });
  return here({ ...answer, operations: dated, settled: settled?.map(said) });
}

test(`native Rust says of ${COUNT} questions of tills what JavaScript says`, async () => {
  const till = await rules();
  const all = await madeUp('tills', SEED, COUNT);
  assert.equal(all.length, COUNT);
  for (const { question, answer } of all) {
    assert.deepEqual(here(ask(till, question)), given(question, answer), JSON.stringify(question));
  }
  const some = (is) => assert.ok(all.filter(is).length > COUNT / 100);
  some(({ answer }) => answer.sequence > 1);
  some(({ answer }) => answer.operations?.length > 2);
  some(({ answer }) => answer.settled?.length > 0);
  some(({ answer }) => answer.points !== null && answer.expected > 0);
});

const askInWorker = workers(['till.js'], ask);

test('in a worker of a browser tills are told what native Rust says', async () => {
  const all = await madeUp('tills', SEED + 1, 500);
  const answers = await askInWorker('till.js', '/strict', all.map(({ question }) => question));
  all.forEach(({ question, answer }, at) => assert.deepEqual(here(answers[at]), given(question, answer)));
});

test('a till keeps what it did without a connection, and tells it as the app takes it', async () => {
  const till = await rules();
  const noon = Date.UTC(2026, 10, 27, 12);
  const order = 'gid://shopify/Order/1001';
  let { queue, isNew, sequence } = here(till.add(null, { kind: 'earn', order, customer: 7 }, 20, noon));
  assert.deepEqual([isNew, sequence], [true, 1]);
  // As it was stored: as text, too.
  ({ queue, isNew } = here(till.add(JSON.stringify(queue), { kind: 'enrol', customer: '8' }, 0, noon + 0.5)));
  assert.equal(isNew, false);
  const at = '2026-11-27T12:00:00.000Z';
  assert.deepEqual(here(till.batch(queue)).operations, [
    { sequence: 1, kind: 'earn', order: 1001, customer: 7, at },
    { sequence: 2, kind: 'enrol', customer: 8, at },
  ]);
  const shown = here(till.shown(queue, 'gid://shopify/Customer/7', { points: 100, at: noon }, noon + 60_000));
  assert.deepEqual([shown.points, shown.expected, shown.age, shown.isOld], [100, 20, 60_000, false]);
  const earned = { sequence: 1, state: 'done', code: 'earned', because: 'The order has earned its points.', points: 20 };
  const said = here(till.acknowledge(queue, { next: 3, results: [earned] }));
  assert.deepEqual(said.settled.map(({ said: { points }, order: of }) => [of, points]), [[1001, 20]]);
  assert.deepEqual([said.isRenamed, said.queue.operations.length], [false, 1]);
});

test('nothing is redeemed offline, and what is missing, newer or broken is a till without a memory', async () => {
  const till = await rules();
  const act = { kind: 'enrol', customer: 7 };
  assert.equal(till.add(null, { kind: 'redeem', customer: 7 }, 0, 1).refused, 'offline');
  assert.equal(till.add(null, { kind: 'earn', order: undefined, customer: 7 }, 0, 1).refused, 'not_understood');
  assert.equal(till.add(null, { kind: 'earn', order: 0, customer: 7 }, 0, 1).refused, 'no_number');
  const cyclic = {};
  cyclic.itself = cyclic;
  for (const queue of [undefined, null, '', '{', '[]', 7, [], '\ud800', { v: 2 }, { v: 1 }, cyclic, () => 1]) {
    const { isNew, sequence, refused } = till.add(queue, act, 0, 1);
    // What cannot be written as JSON takes the whole question along.
    assert.deepEqual([isNew, sequence ?? null, refused], queue === cyclic ? [true, null, 'not_understood'] : [true, 1, null]);
  }
  const { queue } = till.add(null, act, 0, 1);
  for (const answer of [undefined, null, {}, { next: '2' }, { next: NaN, results: [] }]) {
    const said = here(till.acknowledge(queue, answer));
    assert.deepEqual([said.refused, said.queue, said.isNew], ['not_understood', here(queue), false]);
  }
  for (const results of [undefined, {}, [null, 7, { sequence: 1 }, { sequence: 1, state: 'moon' }]]) {
    assert.deepEqual(here(till.acknowledge(queue, { next: 2, results })).settled, []);
  }
  assert.equal(till.shown(queue, 7, null, NaN).refused, 'not_understood');
});

test('a clock at either end of time is a date that can be told', async () => {
  const till = await rules();
  for (const [now, at] of [[-1, '1970-01-01T00:00:00.000Z'], [Number.MAX_SAFE_INTEGER, '9999-12-30T22:00:00.000Z']]) {
    const { queue } = till.add(null, { kind: 'enrol', customer: 7 }, 0, now);
    assert.equal(till.batch(queue).operations[0].at, at);
  }
});

test('a full queue takes no more, in a text that a till can store', async () => {
  const till = await rules();
  const operations = Array.from({ length: 1_000 }, (_, at) => ({
    sequence: at + 1, at: 1_800_000_000_000, kind: 'earn', order: 6_000_000_000_000 + at, customer: 8_000_000_000_000, estimate: 100,
  }));
  const full = { v: 1, next: 1_001, awaited: 1, latest: 1_800_000_000_000, operations };
  assert.equal(till.add(full, { kind: 'enrol', customer: 7 }, 0, 1).refused, 'queue_full');
  assert.equal(till.batch(full).operations.length, 100);
  assert.ok(JSON.stringify(full).length < 200_000);
});

test('it is small', async () => {
  const bytes = deflateSync(await script('till.js')).length;
  assert.ok(bytes < 20_000, `${bytes} bytes`);
});
