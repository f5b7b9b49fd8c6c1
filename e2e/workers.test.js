// Workers of the page's own, and of its workers', that look like those of webR or of Emscripten's
// threads: all is as on a page without sockmux.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { suite } from './harness/suite.js';

const world = suite();

/**
 * What a page may do with a worker, by the name and the type that threads of Emscripten
 * have.
 * @type {Record<string, string>}
 */
const ACTS = {
	'a classic script': 'talk("/workers/own.js?x=1", { name: "em-pthread-1" })',
	'a module': 'talk("/workers/own.mjs", { name: "em-pthread-2", type: "module" })',
	'a script named as webR\'s': 'talk("/workers/webr-worker.js", { name: "mine" })',
	'a script named as a thread\'s': 'talk("/workers/own.worker.js", {})',
	'a blob whose URL is revoked at once': 'talkToBlob(20000, { name: "em-pthread" })',
	'a small blob': 'talkToBlob(0, { name: "em-pthread" })',
	'a module in a blob': 'talkToBlob(20000, { name: "em-pthread", type: "module" })',
	'a script that fails': 'talk("/workers/broken.js", { name: "em-pthread" })',
	'a script that is missing': 'talk("/workers/missing.js", { name: "em-pthread" })',
	'a message that is changed after it was posted': 'talk("/workers/own.js", { name: "em-pthread" }, (w) => { const m = { at: 1 }; w.postMessage(m); m.at = 2; })',
	'a message that is transferred': 'talk("/workers/own.js", { name: "em-pthread" }, (w) => { const b = new ArrayBuffer(8); w.postMessage(b, [b]); told.push(b.byteLength); })',
	'a message that cannot be cloned': 'talk("/workers/own.js", { name: "em-pthread" }, (w) => { try { w.postMessage(() => {}); } catch (error) { told.push(error.name); } w.postMessage(1); })',
	'a URL of another origin': 'talk("http://localhost:9/own.js", { name: "em-pthread" })',
	'a URL that is none': 'talk("http://[", { name: "em-pthread" })',
};

/** What runs an act, in a page or in a worker. */
const SCRIPT = `
	globalThis.told = [];
	const talk = (url, options, send = (worker) => worker.postMessage("hello")) => new Promise((resolve) => {
		told = [];
		let worker;
		try {
			worker = new Worker(url, options);
		} catch (error) {
			resolve([error.name]);
			return;
		}
		worker.onmessage = ({ data }) => {
			told.push(data instanceof ArrayBuffer ? data.byteLength : data);
			if (!Array.isArray(data) && data !== "before") resolve(told);
		};
		worker.onerror = (event) => {
			event.preventDefault();
			told.push(event.constructor.name, event.message);
			resolve(told);
		};
		send(worker);
	});
	const talkToBlob = (padding, options) => {
		const text = "postMessage([self.name, self.location.protocol]); onmessage = ({ data }) => postMessage(data);" + " ".repeat(padding);
		const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
		const answer = talk(url, options);
		URL.revokeObjectURL(url);
		return answer;
	};`;

/** An act with a worker that has another name than threads have. @param {string} act */
const unnamed = (act) => act.replaceAll('em-pthread', 'mine');

/** Where acts run: expressions of the page. @type {Record<string, (act: string) => string>} */
const PLACES = {
	'in the page, named as a thread': (act) => act,
	'in the page': unnamed,
	'in a worker': (act) => `inWorker(${JSON.stringify(unnamed(act))})`,
};

/** @type {import('./harness/suite.js').TestPage[]} */
let pages = [];

/** Opens the page, with or without the script. @param {string} tag */
async function open(tag) {
	const path = `/own-workers-${tag.length}.html`;
	world.site.pages.set('/own-acts.js', `${SCRIPT}\nif (!self.document) onmessage = ({ data }) => eval(data).then(postMessage);`);
	world.site.pages.set(path, `<!doctype html><meta charset="utf-8"><title>workers</title>${tag}<script src="/own-acts.js"></script><script>
		const acting = new Worker("/own-acts.js");
		const inWorker = (act) => new Promise((resolve) => {
			acting.onmessage = ({ data }) => resolve(data);
			acting.postMessage(act);
		});
	</script>`);
	const page = await world.newPage();
	await page.goto(world.site.origin + path);
	return page;
}

for (const [place, run] of Object.entries(PLACES)) {
	for (const [title, act] of Object.entries(ACTS)) {
		test(`${title}, ${place}`, async () => {
			if (pages.length === 0) pages = [await open(''), await open(`<script src="${world.sockmux.origin}/sockmux.js"></script>`)];
			const [plain, ours] = [await pages[0].evaluate(run(act)), await pages[1].evaluate(run(act))];
			assert.ok(plain.length > 0);
			assert.deepEqual(ours, plain);
			assert.deepEqual(pages[1].lines.filter((line) => line.includes('sockmux')), []);
		});
	}
}
