// Writes the repository that the server offers at r/: node r/tools/repository.js FOLDER

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { archive } from './archive.js';
import { parseDescription } from './description.js';
import { installed } from './library.js';
import { rds } from './rds.js';

const PACKAGES = ['sockmux', 'websocket', 'later'];
/** What a repository says of a package. */
const FIELDS = ['Package', 'Version', 'Depends', 'Imports', 'Suggests', 'License', 'NeedsCompilation'];

const out = process.argv[2];
mkdirSync(out, { recursive: true });
const packages = PACKAGES.map((name) => {
	const folder = new URL(`../${name}/`, import.meta.url);
	const fields = parseDescription(readFileSync(new URL('DESCRIPTION', folder), 'utf8'));
	writeFileSync(join(out, `${name}_${fields.Version}.tgz`), archive(name, installed(folder)));
	return fields;
});
// The same twice: R asks for the first, and warns where it is missing.
writeFileSync(join(out, 'PACKAGES.rds'), rds({
	texts: FIELDS.flatMap((field) => packages.map((fields) => fields[field] ?? '')), dim: [packages.length, FIELDS.length], dimnames: { list: [PACKAGES, FIELDS] },
}));
writeFileSync(join(out, 'PACKAGES.txt'), packages.map((fields) => FIELDS.filter((field) => fields[field]).map((field) => `${field}: ${fields[field]}\n`).join('')).join('\n'));
