// Requests signed by Shopify's own library, not by us, drive the server; every status code is checked. Where the
// library can also check a signature, its verdict stands beside ours.

import assert from 'node:assert/strict';
import { createSecretKey } from 'node:crypto';
import { test } from 'node:test';
import '@shopify/shopify-api/adapters/node';
import { ApiVersion, shopifyApi } from '@shopify/shopify-api';
import { SignJWT } from 'jose';
// Not among the package's exports, and what its own tests sign with.
import { generateLocalHmac } from '../../node_modules/@shopify/shopify-api/dist/esm/lib/utils/hmac-validator.mjs';
import { createSHA256HMAC } from '../../node_modules/@shopify/shopify-api/dist/esm/runtime/crypto/utils.mjs';
import { API_KEY, API_SECRET, servers } from './servers.mjs';

const backend = servers();

const library = (secret = API_SECRET) =>
  shopifyApi({
    apiKey: API_KEY,
    apiSecretKey: secret,
    scopes: ['write_orders'],
    hostName: 'app.example',
    apiVersion: Object.values(ApiVersion).at(-1),
    isEmbeddedApp: true,
    logger: { level: 0, log: () => {} },
  });

const now = () => Math.floor(Date.now() / 1000);

/** The status and, of a problem, its code. */
async function status(path, options = {}) {
  const answer = await fetch(`${backend.url}${path}`, { redirect: 'manual', ...options });
  const isProblem = answer.headers.get('content-type') === 'application/problem+json';
  return [answer.status, isProblem ? (await answer.json()).code : undefined];
}

// ---- session tokens ------------------------------------------------------------------------------------------------

/** As the library's own tests make them. */
async function sessionToken(claims, { secret = API_SECRET, alg = 'HS256' } = {}) {
  const all = { aud: API_KEY, exp: now() + 60, nbf: now() - 1, iat: now() - 1, jti: '1', sid: '2', ...claims };
  return new SignJWT(all).setProtectedHeader({ alg }).sign(createSecretKey(Buffer.from(secret)));
}

const admin = () => ({ iss: `https://${backend.shop}/admin`, dest: `https://${backend.shop}`, sub: '42' });
const checkout = () => ({ dest: backend.shop, sub: 'gid://shopify/Customer/7' });
const me = (token) => status('/api/me', { headers: { authorization: `Bearer ${token}` } });

test('a session token of the admin installs the app, and every surface is let in', async () => {
  assert.deepEqual(await me(await sessionToken(checkout())), [404, 'unknown_shop']);
  const token = await sessionToken(admin());
  assert.equal((await library().session.decodeSessionToken(token)).dest, `https://${backend.shop}`);
  assert.deepEqual(await me(token), [200, undefined]);
  assert.deepEqual(await me(await sessionToken(checkout())), [200, undefined]);
  assert.deepEqual(await me(await sessionToken({ dest: backend.shop })), [200, undefined], 'a guest');
});

test('session tokens that the library refuses are refused', async () => {
  const refused = [
    ['another secret', await sessionToken(admin(), { secret: 'other' })],
    ['another app', await sessionToken({ ...admin(), aud: 'other' })],
    ['over', await sessionToken({ ...admin(), exp: now() - 11 })],
    ['not yet', await sessionToken({ ...admin(), nbf: now() + 15 })],
    ['another algorithm', await sessionToken(admin(), { alg: 'HS512', secret: API_SECRET.repeat(8) })],
    ['none at all', 'a.b.c'],
  ];
  for (const [why, token] of refused) {
    await assert.rejects(library().session.decodeSessionToken(token), why);
    assert.deepEqual(await me(token), [401, 'invalid_session_token'], why);
  }
});

test('session tokens are refused that the library lets pass', async () => {
  const checked = { checkAudience: false };
  for (const [why, claims] of [
    ['an extension’s token for another app', { ...checkout(), aud: 'other' }],
    ['a foreign dest', { ...admin(), dest: 'https://evil.example' }],
    ['another shop’s issuer', { ...admin(), iss: 'https://coffee.myshopify.com/admin' }],
  ]) {
    const token = await sessionToken(claims);
    await library().session.decodeSessionToken(token, checked);
    assert.deepEqual(await me(token), [401, 'invalid_session_token'], why);
  }
});

// ---- webhooks ------------------------------------------------------------------------------------------------------

const ORDER = '{"id":1,"note":"é, \\u0000 and an id beyond 2^53","customer":{"id":9007199254740993}}';

async function webhook({ body = ORDER, secret = API_SECRET, method = 'POST', headers = {} } = {}) {
  const all = {
    'content-type': 'application/json',
    'x-shopify-topic': 'app/scopes_update',
    'x-shopify-hmac-sha256': await createSHA256HMAC(secret, body, 'base64'),
    'x-shopify-shop-domain': backend.shop,
    'x-shopify-api-version': '2026-10',
    'x-shopify-webhook-id': crypto.randomUUID(),
    'x-shopify-triggered-at': new Date().toISOString(),
    ...headers,
  };
  for (const [name, value] of Object.entries(all)) if (value === undefined) delete all[name];
  const sent = method === 'POST' ? body : undefined;
  return status('/webhooks', { method, headers: all, body: sent });
}

test('webhooks: 200, 401 for a wrong signature, 400 for what is wrong otherwise, 405 for what is no POST', async () => {
  const id = { 'x-shopify-webhook-id': 'once' };
  for (const [why, options, expected] of [
    ['signed', {}, [200, undefined]],
    ['a first time', { headers: id }, [200, undefined]],
    ['replayed', { headers: id }, [200, undefined]],
    ['a topic nobody knows', { headers: { 'x-shopify-topic': 'themes/publish' } }, [200, undefined]],
    ['not signed', { headers: { 'x-shopify-hmac-sha256': undefined } }, [401, 'bad_signature']],
    ['another secret', { secret: 'other' }, [401, 'bad_signature']],
    ['trailing whitespace', { body: `${ORDER}\n` }, [200, undefined]],
    ['hex for base64', { headers: { 'x-shopify-hmac-sha256': '00'.repeat(32) } }, [401, 'bad_signature']],
    ['not JSON', { body: 'order' }, [400, 'not_json']],
    ['no topic', { headers: { 'x-shopify-topic': undefined } }, [400, 'bad_header']],
    ['no id', { headers: { 'x-shopify-webhook-id': undefined } }, [400, 'bad_header']],
    ['no shop', { headers: { 'x-shopify-shop-domain': 'evil.example' } }, [400, 'bad_header']],
    ['another shop', { headers: { 'x-shopify-shop-domain': 'coffee.myshopify.com' } }, [404, 'unknown_shop']],
    ['GET', { method: 'GET' }, [405, 'method_not_allowed']],
    ['PUT', { method: 'PUT' }, [405, 'method_not_allowed']],
  ]) {
    assert.deepEqual(await webhook(options), expected, why);
  }
});

// ---- queries -------------------------------------------------------------------------------------------------------

/** A query signed by the library, and its own verdict on it. */
async function signed(parameters, signator, { secret = API_SECRET, change = (query) => query } = {}) {
  const name = signator === 'appProxy' ? 'signature' : 'hmac';
  const signature = await generateLocalHmac({ apiSecretKey: secret })(parameters, signator);
  const query = change({ ...parameters, [name]: signature });
  const valid = await library().utils.validateHmac(query, { signator }).catch(() => false);
  const pairs = Object.entries(query).flatMap(([key, value]) => [value].flat().map((one) => [key, one]));
  return [new URLSearchParams(pairs).toString(), valid];
}

const proxied = (more = {}) => ({
  shop: backend.shop,
  logged_in_customer_id: '7',
  path_prefix: '/apps/loyalty',
  timestamp: String(now()),
  ...more,
});

test('proxied queries: ours and the library’s verdicts agree', async () => {
  for (const [why, parameters, options, valid, expected] of [
    ['signed', {}, {}, true, 200],
    ['a list, and letters', { extra: ['1', '2'], name: 'é +&=' }, {}, true, 200],
    ['another secret', {}, { secret: 'other' }, false, 400],
    ['someone else', {}, { change: (query) => ({ ...query, logged_in_customer_id: '8' }) }, false, 400],
    ['truncated', {}, { change: (query) => ({ ...query, signature: query.signature.slice(2) }) }, false, 400],
    ['upper case', {}, { change: (query) => ({ ...query, signature: query.signature.toUpperCase() }) }, false, 400],
    ['91 seconds old', { timestamp: String(now() - 92) }, {}, false, 400],
    ['from the future', { timestamp: String(now() + 92) }, {}, false, 400],
  ]) {
    const [query, verdict] = await signed(proxied(parameters), 'appProxy', options);
    assert.equal(verdict, valid, why);
    assert.equal((await status(`/proxy/account?${query}`))[0], expected, why);
  }
  assert.deepEqual(await status('/proxy/account'), [400, 'bad_signature']);
  const [query] = await signed(proxied(), 'appProxy');
  assert.deepEqual(await status(`/proxy/account?${query}&shop=${backend.shop}`), [400, 'repeated_parameter']);
});

test('OAuth queries: ours and the library’s verdicts agree', async () => {
  const opened = (more = {}) => ({ host: 'YWRtaW4', shop: backend.shop, timestamp: String(now()), ...more });
  for (const [why, parameters, options, valid, expected] of [
    ['signed', {}, {}, true, [302, undefined]],
    ['spaces and letters', { locale: 'é +&= *~' }, {}, true, [302, undefined]],
    ['another secret', {}, { secret: 'other' }, false, [400, 'bad_signature']],
    ['another shop', {}, { change: (q) => ({ ...q, shop: 'coffee.myshopify.com' }) }, false, [400, 'bad_signature']],
    ['upper case', {}, { change: (q) => ({ ...q, hmac: q.hmac.toUpperCase() }) }, false, [400, 'bad_signature']],
    ['91 seconds old', { timestamp: String(now() - 92) }, {}, false, [400, 'stale_request']],
    ['no shop', { shop: 'evil.example' }, {}, true, [400, 'bad_parameter']],
  ]) {
    const [query, verdict] = await signed(opened(parameters), 'admin', options);
    assert.equal(verdict, valid, why);
    assert.deepEqual(await status(`/auth?${query}`), expected, why);
  }
});

test('a merchant’s way back, signed by the library, is good once and for the browser that was sent off', async () => {
  const begun = await fetch(`${backend.url}/auth?shop=${backend.shop}`, { redirect: 'manual' });
  const cookie = begun.headers.get('set-cookie').split(';')[0];
  const approved = await fetch(begun.headers.get('location'), { redirect: 'manual' });
  const { hmac: _, ...back } = Object.fromEntries(new URL(approved.headers.get('location')).searchParams);
  const [query, valid] = await signed(back, 'admin');
  assert.equal(valid, true);
  const callback = (query, headers) => status(`/auth/callback?${query}`, { headers });
  assert.deepEqual(await callback(query, {}), [400, 'bad_state']);
  const [forged] = await signed(back, 'admin', { secret: 'other' });
  assert.deepEqual(await callback(forged, { cookie }), [400, 'bad_signature']);
  const [other] = await signed({ ...back, state: '00'.repeat(32) }, 'admin');
  assert.deepEqual(await callback(other, { cookie }), [400, 'bad_state']);
  assert.deepEqual(await callback(query, { cookie }), [302, undefined]);
  assert.deepEqual(await callback(query, { cookie }), [400, 'bad_state']);
});
