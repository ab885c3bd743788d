// Makes a small module of what wasm2js has made of a WebAssembly module:
//
//     node slim.mjs FROM.js TO.js HOST.js
//
// wasm2js writes for any module: a buffer that grows, objects of imports and exports, data in Base64, every view of the
// memory. The module that this writes takes its imports from HOST.js, and exports its functions and its `memory`, which
// does not grow. The memory is read and written by functions, which takes fewer bytes once it is deflated.

import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parse } from 'acorn';

/** The views of the memory: of what they are, and by how many bits places are shifted in them. */
const VIEWS = {
  HEAP8: ['Int8Array', 0],
  HEAPU8: ['Uint8Array', 0],
  HEAP16: ['Int16Array', 1],
  HEAPU16: ['Uint16Array', 1],
  HEAP32: ['Int32Array', 2],
  HEAPU32: ['Uint32Array', 2],
};

/** The end of the stack, and how functions take their frames of it. */
const STACK = 'global$0';
const FRAME = /global\$0 - (\d+)/g;

/** What the code calls. The bundler leaves out what it does not. */
const HELPERS = `
const { imul: Math_imul, clz32: Math_clz32 } = Math;
function wasm2js_trap() { throw new Error('trap'); }
function wasm2js_memory_copy(to, from, count) { memory.copyWithin(to, from, from + count); }
function put(at, bytes) { for (const byte of bytes) memory[at++] = byte.charCodeAt(); }
`;

/** The small module, as text. */
export function slim(source, host) {
  const program = parse(source, { ecmaVersion: 'latest', sourceType: 'module' }).body;
  const functions = new Map(program.filter(is('FunctionDeclaration')).map((it) => [it.id.name, it]));
  const inner = functions.get('asmFunc').body.body;
  const variables = inner.filter(is('VariableDeclaration')).flatMap((it) => it.declarations);
  const text = (node) => rewritten(source, node);

  const size = text(find(variables, 'buffer').init).match(/\((\d+)\)/)[1];
  const imports = variables.flatMap(({ id, init }) => (id.name.startsWith('fimport$') ? `${init.property.name} as ${id.name}` : []));
  const globals = variables.filter(({ init }) => init?.type === 'Literal').map(({ id, init }) => `let ${id.name} = ${init.raw};`);
  const code = inner.filter(is('FunctionDeclaration')).map(text).join('\n');
  const stack = find(variables, STACK).init.value;
  const frames = [...code.matchAll(FRAME)].reduce((sum, [, bytes]) => sum + Number(bytes), 0);
  // Where nothing calls itself, no call goes deeper than all of them.
  const again = callingItself(inner.filter(is('FunctionDeclaration')));
  if (again) throw new Error(`${again} calls itself: nobody knows how much stack that takes`);
  if (frames === 0 || frames > stack) throw new Error(`${frames} bytes of frames do not fit into ${stack} of stack`);
  const data = functions.get('initActiveSegments').body.body.map(({ expression: { arguments: [, at, base64] } }) =>
    `put(${at.value}, ${JSON.stringify(Buffer.from(base64.value, 'base64').toString('latin1'))});`);
  const exported = inner.find(is('ReturnStatement')).argument.properties.flatMap(({ key, value }) =>
    value.type === 'Identifier' && key.value !== 'memory' ? `${value.name} as ${key.value}` : []);

  return [
    `import { ${imports.join(', ')} } from '${host}';`,
    `const buffer = new ArrayBuffer(${size});`,
    'export const memory = new Uint8Array(buffer);',
    ...Object.entries(VIEWS).map(access),
    HELPERS,
    ...globals,
    code,
    ...data,
    `export { ${exported.join(', ')} };`,
  ].join('\n');
}

const is = (type) => (node) => node.type === type;
const find = (declarations, name) => declarations.find(({ id }) => id.name === name);

/** The name of a function that comes back to itself by calls, if there is one. */
function callingItself(functions) {
  const calls = new Map(functions.map((it) => [it.id.name, calledIn(it)]));
  const done = new Set();
  const comesBack = (name, above) => {
    if (above.includes(name)) return name;
    if (done.has(name)) return undefined;
    done.add(name);
    for (const called of calls.get(name) ?? []) {
      const again = comesBack(called, [...above, name]);
      if (again) return again;
    }
    return undefined;
  };
  return functions.map((it) => comesBack(it.id.name, [])).find(Boolean);
}

/** Whom a node calls by name. (A call of whatever a table holds would have none: there is no table.) */
const calledIn = (node) => [
  ...(node.type === 'CallExpression' ? [node.callee.name ?? raise('a call has no name')] : []),
  ...childrenOf(node).flatMap(calledIn),
];

function raise(message) {
  throw new Error(message);
}

/** How a view is read and written. */
function access([view, [array, shift]]) {
  return `
    const ${view} = /* @__PURE__ */ new ${array}(buffer);
    function load${view}(at) { return ${view}[at >> ${shift}]; }
    function store${view}(at, value) { return ${view}[at >> ${shift}] = value; }`;
}

/** A node's text, with calls where the memory is read or written. */
function rewritten(source, node) {
  const place = placeIn(source, node);
  if (place) return `load${place.view}(${place.at})`;
  const stored = node.type === 'AssignmentExpression' && node.operator === '=' && placeIn(source, node.left);
  if (stored) return `store${stored.view}(${stored.at}, ${rewritten(source, node.right)})`;
  let [text, at] = ['', node.start];
  for (const child of childrenOf(node)) {
    text += source.slice(at, child.start) + rewritten(source, child);
    at = child.end;
  }
  return text + source.slice(at, node.end);
}

/** Which place of the memory an expression names: `HEAP32[at >> 2]`, or `HEAP32[2049]` of one that is known. */
function placeIn(source, { type, object, property }) {
  if (type !== 'MemberExpression' || !(object.name in VIEWS)) return null;
  const [view, [, shift]] = [object.name, VIEWS[object.name]];
  if (property.type === 'Literal') return { view, at: property.value << shift };
  const at = shift > 0 ? property.left : property;
  // Shifting makes a whole number of 32 bits of it, as `| 0` does.
  const isWhole = at.type === 'BinaryExpression' && at.operator === '|' && at.right.value === 0;
  return { view, at: rewritten(source, isWhole ? at.left : at) };
}

const childrenOf = (node) =>
  Object.values(node).flat().filter((it) => typeof it?.type === 'string').sort((one, other) => one.start - other.start);

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [from, to, host] = process.argv.slice(2);
  await writeFile(to, slim(await readFile(from, 'utf8'), host));
}
