// Run by `make test-wasm`, which builds the programs.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Go } from '../build/go.js';
import { programFrom } from '../src/engine/program.js';
import { EXPORT, parse, readExports, section, write, writeExports } from './module.js';
import { snapshot } from './snapshot.js';

const IMPORT = 2;

/** @param {string} name */
const built = (name) => readFileSync(new URL(`../build/${name}`, import.meta.url));
const fixture = built('fixture.wasm');
const ready = await snapshot(fixture);

/** A copy of the fixture that runs. @param {Buffer} [file] */
async function copy(file = ready) {
	const module = await WebAssembly.compile(/** @type {any} */ (file));
	const program = await programFrom(module, Go)(/** @type {any} */ ({}), (code) => assert.fail(`ended with ${code}`));
	program.run();
	return { ...program, exports: /** @type {any} */ (program.exports) };
}

/** @param {Buffer} program @param {string} from @param {string} to */
const withoutName = (program, from, to) => Buffer.from(program.toString('latin1').replaceAll(from, to), 'latin1');

test('the same program gives the same snapshot', async () => {
	assert.ok(ready.equals(await snapshot(fixture)));
	const product = built('linked.wasm');
	assert.ok((await snapshot(product)).equals(await snapshot(product)));
});

test('a copy has what the program has made at its start', async () => {
	const { exports } = await copy();
	assert.deepEqual([0, 1, 30, 999, 1000].map((i) => exports.square(i)), [0, 1, 900, 998001, 0]);
});

test('a copy collects garbage, and what the snapshot holds stays', async () => {
	const { exports, resume } = await copy();
	exports.collect();
	resume();
	assert.equal(exports.isCollected(), 1);
});

test('no two copies draw the same numbers, nor have their maps the same seeds', async () => {
	const drawn = [];
	const orders = [];
	for (let i = 0; i < 8; i++) {
		const { exports } = await copy();
		drawn.push(exports.draw());
		orders.push(exports.order());
	}
	assert.equal(new Set(drawn).size, drawn.length);
	assert.ok(new Set(orders).size > 1, orders.join(' '));
});

test('a copy first asks for random bytes, and all that differs between copies comes from these', async (t) => {
	/** @type {string[]} */
	const asked = [];
	let value = 1;
	t.mock.method(crypto, 'getRandomValues', (/** @type {Uint8Array} */ bytes) => {
		asked.push(`${bytes.length}`);
		return bytes.fill(value);
	});
	const memory = (/** @type {{ exports: any }} */ { exports }) => Buffer.from(exports.mem.buffer).toString('latin1');
	const [first, second] = [await copy(), await copy()];
	assert.deepEqual(asked, ['32', '32']);
	assert.equal(memory(first), memory(second));
	assert.equal(first.exports.draw(), second.exports.draw());
	value = 2;
	const third = await copy();
	assert.notEqual(memory(first), memory(third));
	assert.notEqual(first.exports.draw(), third.exports.draw());
});

test('the program itself runs as before', async () => {
	const { exports } = await copy(fixture);
	assert.equal(exports.square(30), 900);
	assert.ok(exports.run);
});

test('refused: a program that cannot draw its random numbers anew', async () => {
	const sections = parse(fixture);
	const exported = readExports(section(sections, EXPORT)).filter(({ name }) => name !== 'reseed');
	await assert.rejects(snapshot(write(sections, new Map([[EXPORT, writeExports(exported)]]))), /built without tools\/leango/);
});

test('refused: a program that asks its surroundings for what a copy could not have again', async () => {
	await assert.rejects(snapshot(withoutName(fixture, 'syscall/js.valueGet', 'syscall/js.valueSet')), /calls syscall\/js\.valueSet before it waits/);
	await assert.rejects(snapshot(withoutName(fixture, 'Uint8Array', 'Uint7Array')), /other JavaScript values/);
	const sections = parse(fixture);
	const imports = withoutName(section(sections, IMPORT), '\x11runtime.nanotime1', '\x15runtime.getRandomData');
	await assert.rejects(snapshot(write(sections, new Map([[IMPORT, imports]]))), /draws random bytes beside the runtime's seed/);
});

test('refused: what is no wasm of Go\'s', async () => {
	await assert.rejects(snapshot(Buffer.from('MZ')), /not a wasm file/);
	await assert.rejects(snapshot(fixture.subarray(0, fixture.length - 1)), /cut off/);
	await assert.rejects(snapshot(fixture.subarray(0, 8)), /there is no section/);
});
