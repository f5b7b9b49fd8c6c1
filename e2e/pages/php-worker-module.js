const server = location.search.slice(1);
const { install } = await import(`${server}/sockmux.mjs`);
install({ url: server });
await import('./php.js');
