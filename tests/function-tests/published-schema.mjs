// Compares a Function with Shopify's published schema: the hand-kept schema is a part of it, the input queries are valid
// for it, and so are the fixtures (by Shopify's own helper). Arguments: the extension's folder, the published schema's
// name, and folders of fixtures.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { loadFixture, validateTestAssets } from '@shopify/shopify-function-test-helpers';
import {
  buildClientSchema, buildSchema, isEnumType, isInputObjectType, isInterfaceType, isNonNullType, isObjectType,
  isUnionType, parse, validate, visit,
} from 'graphql';

const [extension, name, ...folders] = process.argv.slice(2);
const files = readdirSync(join(extension, 'src')).filter((file) => file.endsWith('.graphql'));
const problems = [];

const published = readPublished(join(process.env.LOYALNEST_TEST_SCHEMAS, `functions_${name}_2026-10.json.gz`));
const own = buildSchema(readFileSync(join(extension, 'schema.graphql'), 'utf8'));
for (const type of Object.values(own.getTypeMap())) {
  if (!type.name.startsWith('__')) compare(type, published.getType(type.name));
}

const queries = {};
for (const file of files) {
  const query = parse(readFileSync(join(extension, 'src', file), 'utf8'));
  queries[file.replace('.graphql', '')] = query;
  for (const error of validate(published, query)) problems.push(`${file}: ${error.message}`);
}

let fixtures = 0;
for (const folder of folders) {
  for (const file of readdirSync(folder)) {
    const fixture = await loadFixture(join(folder, file));
    const inputQueryAST = withTypeNames(queries[fixture.target.replaceAll(/[.-]/g, '_')]);
    nameTypes(fixture.input);
    const found = await validateTestAssets({ schema: published, fixture, inputQueryAST });
    const errors = [...found.inputQuery.errors, ...found.inputFixture.errors, ...found.outputFixture.errors];
    if (found.error) errors.push({ message: found.error });
    for (const error of errors) problems.push(`${file}: ${error.message ?? error}`);
    fixtures += 1;
  }
}

for (const problem of problems) console.error(problem);
console.log(`${fixtures} fixtures`);
process.exitCode = problems.length === 0 ? 0 : 1;

/** The published schema, with the directive that introspection loses. */
function readPublished(file) {
  const introspection = JSON.parse(gunzipSync(readFileSync(file)));
  // Not every published schema is valid: what is deprecated is left out, and may have been all that a type had.
  const schema = buildClientSchema(introspection.data ?? introspection, { assumeValid: true });
  for (const type of Object.values(schema.getTypeMap()).filter(isInputObjectType)) {
    const fields = Object.values(type.getFields());
    const optional = fields.every((field) => !isNonNullType(field.type) && field.defaultValue === undefined);
    type.isOneOf = optional && !type.name.endsWith('FetchResult') && type.name !== 'PriceAdjustment';
  }
  return schema;
}

/** The helper wants to be told what a union's value is; the Function sees that from its members. */
function withTypeNames(query) {
  const typeName = { kind: 'Field', name: { kind: 'Name', value: '__typename' } };
  return visit(query, {
    SelectionSet: (set) =>
      set.selections.some(({ kind }) => kind === 'InlineFragment')
        ? { ...set, selections: [typeName, ...set.selections] }
        : undefined,
  });
}

function nameTypes(value) {
  if (value === null || typeof value !== 'object') return;
  const { merchandise } = value;
  if (merchandise) {
    merchandise.__typename = 'product' in merchandise || 'id' in merchandise ? 'ProductVariant' : 'CustomProduct';
  }
  Object.values(value).forEach(nameTypes);
}

/** Whatever our schema says of a type, the published one must say, too. */
function compare(ours, theirs) {
  const wrong = (what) => problems.push(`schema.graphql: ${ours.name}${what}`);
  if (theirs?.constructor !== ours.constructor) return wrong(' is not what is published');
  if (isEnumType(ours)) {
    const names = (type) => type.getValues().map((value) => value.name);
    names(ours).filter((name) => !names(theirs).includes(name)).forEach((name) => wrong(`.${name} is unknown`));
  }
  if (isUnionType(ours)) {
    const names = (type) => type.getTypes().map((member) => member.name).sort().join();
    if (names(ours) !== names(theirs)) wrong(' has other members');
  }
  if (isInputObjectType(ours)) {
    if (ours.isOneOf !== theirs.isOneOf) wrong(' differs in @oneOf');
    const missing = Object.values(theirs.getFields()).filter((field) => isNonNullType(field.type) && !ours.getFields()[field.name]);
    missing.forEach((field) => wrong(`.${field.name} is required`));
  }
  if (isObjectType(ours) || isInterfaceType(ours) || isInputObjectType(ours)) {
    for (const field of Object.values(ours.getFields())) {
      const other = theirs.getFields()[field.name];
      if (String(other?.type) !== String(field.type)) wrong(`.${field.name} is not what is published`);
      for (const argument of field.args ?? []) {
        const same = other?.args.find(({ name }) => name === argument.name);
        if (String(same?.type) !== String(argument.type)) wrong(`.${field.name}(${argument.name}:) differs`);
      }
    }
  }
}
