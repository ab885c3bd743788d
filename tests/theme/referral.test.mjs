// What becomes of a friend's link, without a browser: kept, asked about, noted on the cart, told, and forgotten.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { arrive, news } from '../../extensions/storefront-rewards/assets/referral.js';

const CODE = '7K3M9QXW';
const KEY = 'loyalnest-ref';
const DAY = 86_400_000;
const GIVES = { advocate: 200, friend: 100, min: { GBP: 2_000 }, days: 30, wait_days: 14 };
const UNKNOWN = [404, { code: 'unknown_code' }];

/** What the shop and the app answer, by method and path; what they were asked; what the blocks were told to say. */
let answers;
let asked;
let blocks;
let storage;

beforeEach(() => {
  answers = { [`GET /apps/loyalty/referrals/${CODE}`]: [200, { gives: GIVES }], 'POST /cart/update.js': [200, {}] };
  [asked, blocks] = [[], []];
  storage = new Map();
  globalThis.localStorage = {
    getItem: (key) => storage.get(key) ?? null,
    setItem: (key, value) => storage.set(key, value),
    removeItem: (key) => storage.delete(key),
  };
  globalThis.document = { querySelectorAll: () => [{ tell: (state) => blocks.push(state) }] };
  globalThis.fetch = async (url, { method, body }) => {
    const name = `${method} ${url}`;
    asked.push(body ? `${name} ${body}` : name);
    const answer = answers[name];
    if (!answer) throw new TypeError('offline');
    return new Response(typeof answer[1] === 'string' ? answer[1] : JSON.stringify(answer[1]), { status: answer[0] });
  };
});

const page = (more = {}) => ({
  customer: '', ref: '', proxy: '/apps/loyalty', cart: '/cart', cartUpdate: '/cart/update',
  program: JSON.stringify({ v: 1, referrals: GIVES }), ...more,
});
const go = (more, code) => arrive({ dataset: page(more) }, code).catch((error) => assert.equal(error.code, 'cart'));
const kept = () => storage.has(KEY) && JSON.parse(storage.get(KEY));
const keep = (record) => storage.set(KEY, JSON.stringify({ code: CODE, at: Date.now(), ...record }));

const NOTE = (code) => `POST /cart/update.js {"attributes":{"_loyalty_ref":"${code}"}}`;
const ASK = `GET /apps/loyalty/referrals/${CODE}`;
const TELL = `POST /apps/loyalty/referrals {"code":"${CODE}"}`;

test('a guest’s code is asked about once, kept, noted on the cart, and shown', async () => {
  await go({}, CODE);
  assert.deepEqual(asked, [ASK, NOTE(CODE)]);
  assert.equal(kept().known, true);
  assert.deepEqual(blocks, ['invited']);
  await go({ ref: CODE }, CODE);
  assert.deepEqual(asked.slice(2), [], 'the next page has nothing to ask');
  assert.deepEqual(news(page()), { state: 'invited', gives: { friend: 100, days: 30, wait: 14, least: { minor: 2_000, currency: 'GBP' } } });
  assert.equal(news(page()).state, 'invited', 'guests are told each time');
});

test('whoever signs in tells the app once, and is told once', async () => {
  keep({ known: true });
  answers['POST /apps/loyalty/referrals'] = [200, { state: 'waiting' }];
  await go({ customer: '7', ref: CODE });
  assert.deepEqual(asked, [TELL]);
  await go({ customer: '7', ref: CODE });
  assert.equal(asked.length, 1);
  assert.deepEqual(blocks, ['waiting']);
  assert.equal(news(page({ customer: '7' })).state, 'waiting');
  assert.equal(news(page({ customer: '7' })), undefined);
  assert.equal(kept(), false);
});

test('a link of another friend takes the place of the first, and the cart’s', async () => {
  keep({ code: '22222222', known: true });
  await go({ ref: '22222222' }, CODE);
  assert.deepEqual(asked, [ASK, NOTE(CODE)]);
  assert.equal(kept().code, CODE);
});

for (const code of ['own_code', 'not_new', 'circular', 'already_referred', 'limit_reached']) {
  test(`a refusal is told in words, and leaves the cart: ${code}`, async () => {
    keep({});
    answers['POST /apps/loyalty/referrals'] = [code === 'already_referred' ? 409 : 422, { code }];
    await go({ customer: '7', ref: CODE });
    assert.deepEqual(asked, [TELL, NOTE('')]);
    assert.deepEqual(blocks, [code]);
    assert.equal(news(page({ customer: '7' })).state, code);
    assert.equal(kept(), false);
  });
}

test('what is nobody’s code is forgotten without a word, and asked for no more', async () => {
  for (const [more, refused] of [
    [{}, UNKNOWN],
    [{}, [404, { code: 'no_referrals' }]],
    [{ customer: '7' }, UNKNOWN],
    [{ customer: '7' }, [422, { code: 'a_reason_of_tomorrow' }]],
  ]) {
    answers[ASK] = answers['POST /apps/loyalty/referrals'] = refused;
    asked.length = 0;
    await go({ ...more, ref: CODE }, CODE);
    assert.equal(asked.at(-1), NOTE(''));
    assert.equal(kept(), false);
    assert.deepEqual(blocks, []);
    assert.equal(news(page(more)), undefined);
    asked.length = 0;
    await go(more);
    assert.deepEqual(asked, []);
  }
});

test('what the app cannot say now is asked again on the next page, and the cart carries the code meanwhile', async () => {
  for (const [more, name, answer] of [
    [{}, ASK, undefined],
    [{}, ASK, [500, {}]],
    [{}, ASK, [429, {}]],
    [{}, ASK, [404, '<html>no such page']],
    [{ customer: '7' }, 'POST /apps/loyalty/referrals', [503, '<html>']],
    [{ customer: '7' }, 'POST /apps/loyalty/referrals', [401, { code: 'not_signed_in' }]],
  ]) {
    storage.clear();
    answers[name] = answer;
    asked.length = 0;
    await go(more, CODE);
    assert.equal(asked.at(-1), NOTE(CODE));
    assert.deepEqual([kept().code, kept().known, kept().said], [CODE, undefined, undefined]);
    assert.equal(news(page(more)), undefined, 'nothing is promised that nobody has said');
  }
  assert.deepEqual(blocks, []);
});

test('a cart that cannot be changed is tried again on the next page', async () => {
  answers['POST /cart/update.js'] = [422, {}];
  await go({}, CODE);
  assert.equal(kept().known, true);
  asked.length = 0;
  await go({});
  assert.deepEqual(asked, [NOTE(CODE)]);
});

test('a code that is too old, or a program that has dropped them, is the end of it', async () => {
  for (const [record, more] of [
    [{ at: Date.now() - 31 * DAY, known: true }, {}],
    [{ known: true }, { program: '{"v":1}' }],
    [{ known: true }, { program: '' }],
    [{ known: true }, { program: JSON.stringify({ v: 2, referrals: GIVES }) }],
  ]) {
    keep(record);
    asked.length = 0;
    assert.equal(news(page(more)), undefined);
    await go({ ...more, ref: CODE });
    assert.deepEqual(asked, [NOTE('')]);
    assert.equal(kept(), false);
  }
});

test('a link that comes to a shop without referrals leaves nothing', async () => {
  await go({ program: '{"v":1}' }, CODE);
  assert.deepEqual([asked, kept()], [[], false]);
});

test('whatever stands in the storage, nothing but a code is sent', async () => {
  for (const text of ['', '{"code":', '[]', '7', 'null', '{"code":"7k3m9qxw","at":1}', '{"code":"../../../x","at":1}', '{"code":7,"at":1}', `{"code":"${CODE}"}`, `{"code":"${CODE}","at":"now"}`]) {
    storage.set(KEY, text);
    assert.equal(news(page()), undefined, text);
    await go({});
    assert.deepEqual(asked, [], text);
    assert.equal(kept(), false, text);
  }
});

test('without a storage the page remembers, and the cart carries on', async () => {
  const forbidden = () => {
    throw new Error('SecurityError');
  };
  for (const local of [undefined, { getItem: forbidden, setItem: forbidden, removeItem: forbidden }]) {
    if (local) globalThis.localStorage = local;
    else delete globalThis.localStorage;
    asked.length = 0;
    await go({}, CODE);
    assert.deepEqual(asked, [ASK, NOTE(CODE)]);
    assert.equal(news(page()).state, 'invited');
    answers['POST /apps/loyalty/referrals'] = UNKNOWN;
    await go({ customer: '7' });
    assert.equal(news(page()), undefined);
  }
});

test('a program’s minimum is told if it is one', async () => {
  keep({ known: true });
  for (const [min, least] of [[{}, undefined], [undefined, undefined], [{ '<b>': 5 }, undefined], [{ GBP: '5' }, undefined], [{ JPY: 500 }, { minor: 500, currency: 'JPY' }]]) {
    assert.deepEqual(news(page({ program: JSON.stringify({ v: 1, referrals: { ...GIVES, min } }) })).gives.least, least);
  }
});

test('a friend who gets nothing is promised nothing', async () => {
  keep({ known: true });
  assert.equal(news(page({ program: JSON.stringify({ v: 1, referrals: { ...GIVES, friend: 0 } }) })), undefined);
});
