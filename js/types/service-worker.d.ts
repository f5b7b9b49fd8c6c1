// Types of sockmux/service-worker: the module with all that a service worker needs in itself, because it may load nothing later.

export * from './sockmux.js';
