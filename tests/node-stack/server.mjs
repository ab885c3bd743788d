// The official stack for the same job: @shopify/shopify-app-express verifies, pg stores. A webhook is answered with 200
// when its row is committed; its id is unique, so that a repeat is no second row.
//
// One process, as the library's own template and documentation run it. Logging is off: it would only slow it down.

import { ApiVersion, DeliveryMethod, LogSeverity } from '@shopify/shopify-api';
import { shopifyApp } from '@shopify/shopify-app-express';
import express from 'express';
import pg from 'pg';

const { DATABASE_URL, PORT, SHOPIFY_API_KEY, SHOPIFY_API_SECRET } = process.env;

const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 10 });
await pool.query(`
  create table if not exists webhooks (
    webhook_id  text        not null primary key,
    shop        text        not null,
    topic       text        not null,
    api_version text        not null,
    received_at timestamptz not null default now(),
    payload     text        not null
  )`);

const shopify = shopifyApp({
  api: {
    apiKey: SHOPIFY_API_KEY,
    apiSecretKey: SHOPIFY_API_SECRET,
    apiVersion: ApiVersion.October26,
    scopes: ['read_orders'],
    hostScheme: 'http',
    hostName: `127.0.0.1:${PORT}`,
    logger: { level: LogSeverity.Error, log: (_severity, message) => console.error(message) },
  },
  auth: { path: '/api/auth', callbackPath: '/api/auth/callback' },
  webhooks: { path: '/webhooks' },
});

const INSERT = {
  name: 'insert',
  text: `insert into webhooks (webhook_id, shop, topic, api_version, payload) values ($1, $2, $3, $4, $5)
         on conflict (webhook_id) do nothing`,
};

const webhookHandlers = {
  ORDERS_CREATE: {
    deliveryMethod: DeliveryMethod.Http,
    callbackUrl: '/webhooks',
    callback: async (topic, shop, body, webhookId, apiVersion) => {
      await pool.query({ ...INSERT, values: [webhookId, shop, topic, apiVersion, body] });
    },
  },
};

const app = express();
app.post(shopify.config.webhooks.path, shopify.processWebhooks({ webhookHandlers }));
app.get('/readyz', (_request, response) => response.send('ready'));
app.listen(Number(PORT), '127.0.0.1', () => console.log('ready'));
