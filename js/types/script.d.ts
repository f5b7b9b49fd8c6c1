// Types of the classic script, sockmux.js. It exports nothing and leaves the global `sockmux`.

import './sockmux.js';
