// download.file(), url() and what stands on them, such as read.csv(URL) and install.packages(): webR
// calls Module.downloadFileContent() for each. The browser makes the request, and what it refuses goes
// through the tunnel. R says the same of both, in the words of desktop R.

import { byBrowser, leavesOut } from './browser.js';
import { Connections } from './connection.js';
import { ExchangeError, TIMED_OUT, byPage } from './exchange.js';
import { PARTIAL, announced, barAt, curlWords, downloaded, statusWords } from './wording.js';

/**
 * What R asks for.
 * @typedef {{ url: string, headers: [name: string, value: string][], timeoutMs: number, roots?: string }} Wanted
 */

/** @typedef {import('../r.js').R} R */
/** @typedef {import('../../blocking/exchange.js').Head & { body: ArrayBuffer }} Answer */

/** Which function of R's calls: the quiet argument of download.file(), or NA for a connection. */
const CALLER = `(function() {
	for (i in rev(seq_len(sys.nframe()))) if (identical(sys.function(i), utils::download.file)) return(as.integer(isTRUE(get("quiet", sys.frame(i)))))
	NA_integer_
})()`;
const LOUD = 0;
const QUIET = 1;

/** Where desktop R finds certificates of authorities in place of the built-in ones. */
const BUNDLE = 'Sys.getenv("CURL_CA_BUNDLE")';

/** From here on a status is a failure. */
const FIRST_FAILURE = 400;

/** What is asked of R: C's functions, by their names in R's script, which are there once R runs. */
const NEEDED = ['_R_ParseEvalString', '_Rf_asInteger', '_R_CHAR', '_STRING_ELT', '_R_GetConnection', '_REprintf', '_Rf_warning', '_Rf_error'];

/**
 * Puts the function in its place. A webR that has no such function, or no such R, keeps its own.
 * @param {any} scope  R's worker
 * @param {R} r
 * @param {import('../../blocking/ring.js').RingConnector} connector
 */
export function installUrls(scope, r, connector) {
	const { Module } = scope;
	const own = Module?.downloadFileContent;
	if (typeof own !== 'function') return;
	const connections = new Connections(r);
	Module.downloadFileContent = (/** @type {string} */ url, /** @type {string[] | undefined} */ headers) => {
		// webR itself gives no header fields: R is not in the midst of a call then.
		const isRs = Array.isArray(headers) && /^https?:/i.test(url) && NEEDED.every((name) => typeof Module[name] === 'function');
		if (!isRs || !connector.alive) return own(url, headers);
		return new Download(scope, { r, connections, connector, url, headers }).run();
	};
}

class Download {
	#scope;
	#r;
	#connections;
	#connector;
	/** @type {Wanted} */
	#wanted;
	#caller;
	/** R may leave the call by a condition. */
	#safe;
	/** An answer has begun. */
	#begun = false;
	/** Characters of the bar that are printed; null: there is none. @type {number | null} */
	#bar = null;
	#length = 0;

	/** @param {any} scope @param {{ r: R, connections: Connections, connector: import('../../blocking/ring.js').RingConnector, url: string, headers: string[] }} parts */
	constructor(scope, { r, connections, connector, url, headers }) {
		this.#scope = scope;
		this.#r = r;
		this.#connections = connections;
		this.#connector = connector;
		const seconds = r.integer('as.integer(getOption("timeout", 60L))');
		this.#wanted = { url, headers: headers.map(fieldOf), timeoutMs: seconds > 0 ? seconds * 1000 : Infinity };
		this.#caller = r.integer(CALLER);
		this.#safe = this.#caller === LOUD || this.#caller === QUIET;
	}

	/** What Module.downloadFileContent() returns. */
	run() {
		let answer;
		try {
			answer = this.#answer();
		} catch (error) {
			if (!(error instanceof ExchangeError)) throw error;
			return this.#fail(this.#wordsOf(error));
		}
		const { status, body } = answer;
		this.#begun = false;
		if (status >= FIRST_FAILURE) return this.#fail(`cannot open URL '${this.#wanted.url}': HTTP status was '${statusWords(status)}'`);
		if (this.#caller === LOUD) this.#r.print(`${this.#bar === null ? '' : '\n'}${downloaded(body.byteLength)}`);
		return { status: 200, response: body };
	}

	/** @returns {Answer} */
	#answer() {
		const wanted = this.#wanted;
		if (leavesOut(wanted)) return this.#throughPage();
		let answer;
		try {
			answer = byBrowser(this.#scope, wanted);
		} catch {
			throw new ExchangeError(TIMED_OUT, '');
		}
		if (!answer) return this.#throughPage();
		this.#onhead(answer);
		this.#onbytes(answer.body.byteLength);
		return answer;
	}

	#throughPage() {
		this.#wanted.roots = this.#roots();
		this.#safe ||= this.#connections.secure(this.#wanted.url);
		return byPage(this.#connector, this.#wanted, {
			wait: (milliseconds) => void (this.#safe ? this.#connector.wait(milliseconds) : this.#connector.nap(milliseconds)),
			onhead: (head) => this.#onhead(head),
			onbytes: (count) => this.#onbytes(count),
		});
	}

	/** Certificates of authorities as PEM; undefined: the built-in ones. */
	#roots() {
		const path = this.#r.string(BUNDLE);
		if (path === '') return undefined;
		try {
			return new TextDecoder().decode(this.#scope.Module.FS.readFile(path));
		} catch {
			throw new ExchangeError('aborted', `CURL_CA_BUNDLE is ${path}, which R cannot read`);
		}
	}

	/** @param {import('../../blocking/exchange.js').Head} head */
	#onhead({ status, headers }) {
		this.#begun = true;
		const fields = new Map(headers.map(([name, value]) => [name.toLowerCase(), value]));
		this.#length = fields.has('content-encoding') ? 0 : Number(fields.get('content-length') ?? 0);
		if (this.#caller !== LOUD || status >= FIRST_FAILURE || !(this.#length > 0)) return;
		this.#r.print(announced(fields.get('content-type'), this.#length));
		this.#bar = 0;
	}

	/** @param {number} count */
	#onbytes(count) {
		if (this.#bar === null) return;
		const bar = barAt(count, this.#length);
		if (bar > this.#bar) this.#r.print('='.repeat(bar - this.#bar));
		this.#bar = bar;
	}

	/** @param {ExchangeError} error */
	#wordsOf({ code, text }) {
		const { url, timeoutMs } = this.#wanted;
		if (code === TIMED_OUT) return `URL '${url}': Timeout of ${timeoutMs / 1000} seconds was reached`;
		return `URL '${url}': status was '${this.#begun ? PARTIAL : curlWords(code, text)}'`;
	}

	/** @param {string} why */
	#fail(why) {
		const { url } = this.#wanted;
		this.#safe ||= this.#connections.secure(url);
		// Left to webR's own words.
		if (!this.#safe) return { status: 400, response: why };
		this.#r.warn(why);
		if (this.#caller !== LOUD && this.#caller !== QUIET) return this.#r.stop(`cannot open the connection to '${url}'`);
		return this.#r.stop(this.#begun ? `download from '${url}' failed` : `cannot open URL '${url}'`);
	}
}

/** @param {string} line  "Name: value" @returns {[name: string, value: string]} */
function fieldOf(line) {
	const at = line.indexOf(': ');
	return at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at + 2)];
}
