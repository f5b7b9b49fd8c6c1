// Lint rules for every script of the repository: eslint's recommended set, and what is
// below. Paths are relative to its top, where
// eslint runs (package.json). Types are tsc's work (tsconfig.json).
import js from '@eslint/js';
import globals from 'globals';

/** @type {import('eslint').Linter.Config[]} */
export default [
	{ ignores: ['js/build/', 'js/dist/', '**/node_modules/', 'server/gateway/assets/dist/', 'e2e/out/', 'e2e/package/out/', 'e2e/fixtures/'] },
	js.configs.recommended,
	{
		files: ['**/*.js', '**/*.mjs'],
		languageOptions: { ecmaVersion: 2022, sourceType: 'module', globals: { ...globals['shared-node-browser'] } },
		linterOptions: { reportUnusedDisableDirectives: 'error' },
		rules: {
			'array-callback-return': 'error',
			'curly': ['error', 'multi-line'],
			'eqeqeq': ['error', 'always'],
			'no-duplicate-imports': 'error',
			'no-implicit-globals': 'error',
			'no-promise-executor-return': 'error',
			'no-self-compare': 'error',
			'no-shadow': 'error',
			'no-template-curly-in-string': 'error',
			'no-throw-literal': 'error',
			'no-use-before-define': ['error', { functions: false, classes: false, variables: false }],
			'no-var': 'error',
			'object-shorthand': 'error',
			'prefer-const': 'error',
			'require-atomic-updates': 'off',
		},
	},
	{ files: ['e2e/package/app/src/**', 'js/playground/**', 'server/gateway/theme/**', 'server/ops/status/page/**', 'e2e/pages/**', 'bench/browser/*.js', 'examples/ssh-terminal/*.js'], languageOptions: { globals: { ...globals.browser } } },
	// Emscripten's compiler runs this file, and puts its functions into programs.
	{ files: ['js/library/**'], languageOptions: { sourceType: 'script', globals: { LibraryManager: 'readonly', mergeInto: 'readonly', ASYNCIFY: 'readonly', FS: 'readonly', Asyncify: 'readonly', getSocketFromFD: 'readonly', sockmuxOperation: 'readonly', sockmuxCall: 'readonly' } } },
	{ files: ['js/src/**'], languageOptions: { globals: { ...globals.browser, ...globals.worker } } },
	// Tests hand functions to the browser, where its names are there.
	{ files: ['e2e/*.js', 'e2e/cases/**', 'e2e/harness/**', 'e2e/r-websocket/**', 'bench/browser/*.mjs'], languageOptions: { globals: { ...globals.node, ...globals.browser } } },
	{ files: ['e2e/package/app/client.js', 'js/test/**', 'js/snapshot/**', 'r/tools/**', '**/*.config.js', 'examples/**', 'bench/**/*.mjs'], languageOptions: { globals: { ...globals.node } } },
];
