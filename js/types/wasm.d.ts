// Types of sockmux.wasm for bundlers that give the URL of a file.

declare const url: string;
export default url;
