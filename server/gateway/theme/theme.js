// Light or dark: what the system says, until the button says otherwise.

const KEY = 'sockmux.theme';
const system = matchMedia('(prefers-color-scheme: dark)');

function stored() {
	try {
		return localStorage.getItem(KEY);
	} catch {
		return null; // storage is forbidden here: the choice lasts as long as the page
	}
}

/** @param {HTMLElement} button */
export function followTheme(button) {
	let chosen = stored();
	const dark = () => (chosen === 'dark' || chosen === 'light' ? chosen === 'dark' : system.matches);
	const apply = () => {
		document.documentElement.dataset.theme = dark() ? 'dark' : 'light';
		button.setAttribute('aria-pressed', String(dark()));
	};
	apply();
	system.addEventListener('change', apply);
	button.addEventListener('click', () => {
		chosen = dark() ? 'light' : 'dark';
		try {
			localStorage.setItem(KEY, chosen);
		} catch { /* as in stored() */ }
		apply();
	});
}
