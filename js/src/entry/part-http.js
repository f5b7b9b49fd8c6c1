// Entry of sockmux-http.js: fetch(), and TLS for connect().

import part from './part/http.js';
import { handOver } from './parts.js';

handOver(part);
