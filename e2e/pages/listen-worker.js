const server = location.search.slice(1);
const { install } = await import(`${server}/sockmux.mjs`);
globalThis.sockmux = install({ url: server });
