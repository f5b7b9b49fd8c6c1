// Writes the packages that the script brings into webR as a module: node r/tools/main.js OUT

import { writeFileSync } from 'node:fs';
import { installed } from './library.js';

const PACKAGES = ['sockmux', 'websocket'];

const files = PACKAGES.flatMap((name) => Object.entries(installed(new URL(`../${name}/`, import.meta.url))).map(([path, text]) => [`${name}/${path}`, text]));
writeFileSync(process.argv[2], `// What r/tools has made of the R packages.\nexport default ${JSON.stringify(Object.fromEntries(files), null, '\t')};\n`);
