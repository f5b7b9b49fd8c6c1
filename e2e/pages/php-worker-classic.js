/* global importScripts */
importScripts(`${location.search.slice(1)}/sockmux.js`, 'php.js');
