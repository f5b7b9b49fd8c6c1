// The page: the form, the shell that it leads to, and what is said when something fails.

import { ask } from './hosts.js';
import { reasonFor } from './reasons.js';
import { startTerminal } from './screen.js';

/** @typedef {{ status: number, signal: string }} Exit */
/**
 * What the Go program gives (shell_js.go).
 * @typedef {object} Shell
 * @property {string} version
 * @property {(bytes: Uint8Array) => Promise<unknown>} write
 * @property {(cols: number, rows: number) => Promise<unknown>} resize
 * @property {() => Promise<unknown>} close
 * @property {Promise<Exit>} closed
 */

const page = /** @type {any} */ (globalThis);
/** @type {(id: string) => any} */
const element = (id) => document.getElementById(id);
const form = /** @type {HTMLFormElement} */ (element('login'));
/** @param {string} name @returns {any} */
const field = (name) => form.elements.namedItem(name);
const parameters = new URLSearchParams(location.search);
const terminal = startTerminal(element('terminal'));

/** @param {'login' | 'connecting' | 'open' | 'ended'} state */
function enter(state) {
	document.body.dataset.state = state;
	element('connect').disabled = state === 'connecting';
	element('connect').textContent = state === 'connecting' ? 'Connecting …' : 'Connect';
}

/** Shows why there is no shell. @param {string} text  '': nothing is wrong */
function complain(text) {
	element('notice').hidden = text === '';
	element('notice').textContent = text;
}

/** The program, which is loaded once. */
const program = new Promise((resolve, reject) => {
	page.sshReady = resolve;
	const go = new page.Go();
	WebAssembly.instantiateStreaming(fetch('main.wasm'), go.importObject).then(({ instance }) => go.run(instance)).then(reject, reject);
});

/** What the form says. */
function wanted() {
	const withKey = field('method').value === 'key';
	return {
		host: field('host').value.trim(),
		port: Number(field('port').value),
		user: field('user').value.trim(),
		withKey,
		password: withKey ? '' : field('password').value,
		key: withKey ? field('key').value : '',
		passphrase: withKey ? field('passphrase').value : '',
	};
}

/** @param {ReturnType<typeof wanted>} target */
async function login(target) {
	complain('');
	enter('connecting');
	const host = ask(element('host-key'), `${target.host}:${target.port}`);
	try {
		await program;
		terminal.reset();
		const { cols, rows } = terminal;
		const timeout = Number(parameters.get('timeout') ?? 20); // seconds in which the host must answer
		/** @type {Shell} */
		const shell = await page.sshConnect({ ...target, timeout, cols, rows, onHostKey: host.trusted, knownKeyType: host.knownType, onData: terminal.show });
		element('place').textContent = `${target.user}@${target.host}:${target.port} \u00b7 ${shell.version}`;
		field('password').value = '';
		enter('open');
		await follow(shell);
	} catch (error) {
		enter('login');
		complain(reasonFor(error, target));
	}
}

/** Joins the shell and the terminal until one of them ends. @param {Shell} shell */
async function follow(shell) {
	terminal.connect(shell);
	element('disconnect').onclick = () => shell.close();
	const said = (/** @type {Exit} */ { status, signal }) => (signal ? `The shell was ended by signal ${signal}.` : `The shell has ended with exit status ${status}.`);
	const [bad, text] = await shell.closed.then((exit) => [false, said(exit)], (error) => [true, reasonFor(error, wanted())]);
	terminal.disconnect();
	element('ended-text').textContent = text;
	element('ended').dataset.bad = String(bad);
	enter('ended');
}

for (const radio of field('method')) {
	radio.addEventListener('change', () => {
		element('with-password').hidden = field('method').value !== 'password';
		element('with-key').hidden = field('method').value !== 'key';
	});
}
element('key-file').addEventListener('change', async (/** @type {any} */ event) => {
	const [file] = event.target.files;
	if (file) field('key').value = await file.text();
});
form.addEventListener('submit', (event) => {
	event.preventDefault();
	void login(wanted());
});
element('again').addEventListener('click', () => {
	element('place').textContent = '';
	enter('login');
});

// ?host=, ?port= and ?user= fill the form.
for (const [name, value] of parameters) {
	if (['host', 'port', 'user'].includes(name)) field(name).value = value;
}

/** @param {{ state: string, reason?: { text: string } | null }} status */
function showTunnel({ state, reason }) {
	/** @type {Record<string, string>} */
	const texts = { idle: 'not connected', loading: 'loading', connecting: 'connecting', open: 'connected', resuming: 'reconnecting', closed: 'closed', failed: 'failed' };
	element('tunnel').dataset.state = state;
	element('tunnel').title = reason?.text ?? '';
	element('tunnel-text').textContent = texts[state] ?? state;
}
if (page.sockmux) {
	showTunnel(page.sockmux.status);
	page.sockmux.on('state', showTunnel);
} else complain('The sockmux server does not answer: start it, or name it by ?server= in the address.');
