// The layers that the build puts together.

/** @type {import('./sockmux.js').Hooks} */
export const hooks = {};
