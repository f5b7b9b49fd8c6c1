// What Go's wasm_exec.js takes for the global object. It would otherwise leave Go, fs,
// process and path in the page, where other programs take a global `process` for Node.
// The build replaces globalThis in that one file by this object.

/** @type {Record<string, any>} */
export const goScope = { Array, Date, Error, Object, TextDecoder, TextEncoder, Uint8Array, crypto, performance };
