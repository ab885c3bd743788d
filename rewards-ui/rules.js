// The rules of the programme, the very ones that the Functions and the ledger call.
//
// As JavaScript (wasm2js): nobody promises WebAssembly, TextDecoder or BigInt in an extension's sandbox.

export { rules } from 'loyalty-wasm/checkout';
