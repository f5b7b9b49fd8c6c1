// What is measured, a family of measurements each.

import { bulk, open } from './bulk.mjs';
import { busy } from './busy.mjs';
import { cold } from './cold.mjs';
import { datagrams } from './datagrams.mjs';
import { idle } from './idle.mjs';
import { latency } from './latency.mjs';
import { lines } from './lines.mjs';
import { load } from './load.mjs';
import { sizes, startup } from './startup.mjs';
import { warm } from './warm.mjs';
import { webrCold } from './webr-cold.mjs';
import { webr } from './webr.mjs';

export const families = { cold, warm, idle, lines, busy, bulk, open, latency, load, datagrams, startup, sizes, webr, 'webr-cold': webrCold };
