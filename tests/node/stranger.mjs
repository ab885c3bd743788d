// A server of Shopify's published Admin schema that knows nothing of Shopify, of this project or of the local shop:
// graphql-js validates and executes, @graphql-tools/mock makes up whatever the schema allows. What stands before
// `/admin` in an address bends its answers: `/plain`, `/nulls`, `/enums`, `/empty`, `/huge`, `/denied`, `/endless`.
//
// It prints its address when it is ready. `GET /asked` tells which operations were executed, by the text of each.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { addMocksToSchema } from '@graphql-tools/mock';
import * as graphql from 'graphql';

const [folder, version] = process.argv.slice(2);
const UNKNOWN = 'NEWER_THAN_THIS_PROGRAM';
const LARGEST = 2_147_483_647;

/** Text for the scalars that GraphQL does not have. */
const SCALARS = {
  DateTime: '2026-11-23T12:00:00Z',
  Date: '2026-11-23',
  Decimal: '12.34',
  Money: '12.34',
  UnsignedInt64: '18446744073709551615',
  URL: 'https://shop.example/',
  JSON: '{}',
};

const published = JSON.parse(gunzipSync(readFileSync(path.join(folder, `admin_${version}.json.gz`)))).data;
for (const type of published.__schema.types) {
  if (type.kind === 'ENUM' && !type.name.startsWith('__')) {
    type.enumValues.push({ name: UNKNOWN, description: null, isDeprecated: false, deprecationReason: null });
  }
}
const base = graphql.buildClientSchema(published);
const asked = new Set();
const schemas = {};

/** The schema with made-up answers, each bent by `bend(type, value)`. */
function mocked(bend) {
  const mocks = {
    Node: () => ({ __typename: 'Customer' }),
    Discount: () => ({ __typename: 'DiscountAutomaticApp' }),
    PageInfo: () => ({ hasNextPage: false }),
  };
  for (const type of Object.values(base.getTypeMap())) {
    const isBuiltIn = graphql.isSpecifiedScalarType(type);
    if (graphql.isScalarType(type) && !isBuiltIn) mocks[type.name] = () => SCALARS[type.name] ?? 'made up';
    // Of what the schema knows, not what was put in above.
    if (graphql.isEnumType(type)) mocks[type.name] = () => type.getValues().find(({ name }) => name !== UNKNOWN).name;
  }
  const schema = addMocksToSchema({ schema: base, mocks });
  for (const type of Object.values(schema.getTypeMap())) {
    if (!graphql.isObjectType(type) || type.name.startsWith('__')) continue;
    for (const field of Object.values(type.getFields())) {
      const resolve = field.resolve ?? graphql.defaultFieldResolver;
      field.resolve = async (...args) => bend(field.type, await resolve(...args), args[3]);
    }
  }
  return schema;
}

const nullable = (type) => !graphql.isNonNullType(type);
const named = (type) => graphql.getNamedType(type);
const isList = (type) => graphql.isListType(graphql.getNullableType(type));

const BENT = {
  plain: (type, value) => value,
  nulls: (type, value) => {
    if (nullable(type)) return null;
    return isList(type) && nullable(graphql.getNullableType(type).ofType) ? value.map(() => null) : value;
  },
  enums: (type, value) => {
    if (!graphql.isEnumType(named(type))) return value;
    return isList(type) ? [UNKNOWN] : UNKNOWN;
  },
  empty: (type, value) => {
    if (isList(type)) return [];
    return named(type) === graphql.GraphQLString ? '' : value;
  },
  huge: (type, value) => {
    if (isList(type)) return value;
    if (named(type) === graphql.GraphQLInt) return LARGEST;
    if (named(type) === graphql.GraphQLString) return '\u{1f381}'.repeat(10_000);
    return named(type).name === 'Decimal' ? '9'.repeat(400) : value;
  },
  denied: (type, value, info) => {
    if (nullable(type) && info.path.prev) {
      const extensions = { code: 'ACCESS_DENIED' };
      throw new graphql.GraphQLError(`Access denied for ${info.fieldName} field.`, { extensions });
    }
    return value;
  },
  endless: (type, value, info) => info.fieldName === 'hasNextPage' || value,
};

async function answer(request) {
  if (request.url === '/asked') return [200, [...asked]];
  const [, bent, rest] = /^\/(\w+)(\/.*)$/.exec(request.url) ?? [];
  if (!(bent in BENT) || rest !== `/admin/api/${version}/graphql.json`) return [404, { errors: 'Not Found' }];
  if (request.headers['x-shopify-access-token'] !== 'shpat_of_a_stranger') return [401, { errors: 'Unauthorized' }];
  const { query, variables, operationName } = JSON.parse(await text(request));
  asked.add(query.trim());
  schemas[bent] ??= mocked(BENT[bent]);
  const schema = schemas[bent];
  const document = graphql.parse(query);
  const errors = graphql.validate(base, document);
  // A server says so with 400; then whoever asked has made a mistake.
  if (errors.length) return [400, { errors }];
  return [200, await graphql.execute({ schema, document, variableValues: variables, operationName })];
}

const server = createServer(async (request, response) => {
  const [status, body] = await answer(request).catch((error) => [500, { errors: [{ message: String(error) }] }]);
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
});
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
// Whoever started it is gone.
process.stdin.on('end', () => process.exit()).resume();
