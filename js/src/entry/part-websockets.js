// Entry of sockmux-websockets.js: the messages of WebSockets that are carried as such.

import part from './part/websockets.js';
import { handOver } from './parts.js';

handOver(part);
