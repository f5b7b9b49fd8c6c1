import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { obeyPolicy } from '../../src/webr/policy.js';

const BASE = 'https://site.test/webr/webr-worker.js';

/** A worker under a policy. @param {{ evaluates?: boolean, fetches?: boolean }} policy */
function makeScope({ evaluates = true, fetches = true } = {}) {
	/** @type {string[]} */
	const requests = [];
	class Request {
		/** @param {string[]} args */
		open(...args) {
			requests.push(args.join(' '));
		}

		send() {
			if (!fetches) throw new Error('NetworkError');
		}
	}
	const scope = Object.assign(new EventTarget(), {
		XMLHttpRequest: Request,
		eval() {
			if (!evaluates) throw new EvalError('refused');
		},
	});
	/** @type {any[]} */
	const posts = [];
	return { scope, posts, requests };
}

/**
 * Runs the check; a script that is stopped waits for its end, which here is an error.
 * @param {any} scope
 * @param {string} base
 * @param {any[]} posts
 */
function run(scope, base, posts) {
	const { wait } = Atomics;
	Atomics.wait = () => {
		throw new Error('stopped here');
	};
	try {
		obeyPolicy(scope, base, (message) => posts.push(message));
	} catch (error) {
		assert.equal(/** @type {Error} */ (error).message, 'stopped here');
		return 'stopped';
	} finally {
		Atomics.wait = wait;
	}
	return 'runs';
}

describe('webR from its own URL', () => {
	test('runs with the layer where the policy lets it', () => {
		const { scope, posts, requests } = makeScope();
		assert.equal(run(scope, BASE, posts), 'runs');
		assert.deepEqual(posts, []);
		assert.deepEqual(requests, [`HEAD ${BASE} false`]);
	});

	test('stops without eval, and names attach() and the directive', () => {
		const { scope, posts } = makeScope({ evaluates: false });
		assert.equal(run(scope, BASE, posts), 'stopped');
		assert.equal(posts.length, 1);
		assert.equal(posts[0].op, 'stopped');
		assert.match(posts[0].text, /forbids eval.*sockmux\.attach\(webR\).*'unsafe-eval' to script-src/);
	});

	test('stops where its files may not be requested', () => {
		const { scope, posts } = makeScope({ fetches: false });
		assert.equal(run(scope, BASE, posts), 'stopped');
		assert.match(posts[0].text, /sockmux\.attach\(webR\).*https:\/\/site\.test to connect-src/);
	});
});

test('webR from a blob of its own fares no better without: it runs, and the reason is told', () => {
	const { scope, posts, requests } = makeScope({ evaluates: false, fetches: false });
	assert.equal(run(scope, '', posts), 'runs');
	assert.equal(posts[0].op, 'note');
	assert.match(posts[0].text, /forbids eval.*with or without the layer.*'unsafe-eval'/);
	assert.deepEqual(requests, []);
});

test('what the policy forbids R later is named once', () => {
	const { scope, posts } = makeScope();
	run(scope, BASE, posts);
	const violate = (/** @type {Record<string, string>} */ fields) => scope.dispatchEvent(Object.assign(new Event('securitypolicyviolation'), { disposition: 'enforce', effectiveDirective: 'connect-src', ...fields }));
	violate({ blockedURI: 'https://repo.test/bin/a' });
	violate({ blockedURI: 'https://repo.test/bin/b' });
	violate({ blockedURI: 'https://other.test/', disposition: 'report' });
	violate({ blockedURI: 'eval', effectiveDirective: 'script-src' });
	violate({ blockedURI: 'blob' });
	assert.equal(posts.length, 2);
	assert.match(posts[0].text, /request to https:\/\/repo\.test\/bin\/a: add https:\/\/repo\.test to connect-src$/);
	assert.match(posts[1].text, /request to blob: add blob: to connect-src$/);
});
