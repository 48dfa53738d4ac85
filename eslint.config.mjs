// Rules that find mistakes; the form is Prettier's.
import js from '@eslint/js';
import tseslint from 'typescript-eslint';
import { ROOMS } from './scripts/lint/rooms.mjs';
import { roomsRule } from './scripts/lint/rooms-rule.mjs';

/** What a room without a host is handed by whoever has one. */
const OF_A_HOST = ['Date', 'performance', 'setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'fetch', 'process', 'Buffer', 'crypto', 'navigator', 'window', 'document', 'self', 'postMessage', 'localStorage']; // prettier-ignore
const HOSTLESS = ROOMS.filter(({ host }) => !host).flatMap(({ paths }) =>
  paths.map((path) => (path.endsWith('.ts') ? path : `${path}/**/*.ts`)),
);

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', '.cache/', 'out/', 'coverage/'] },
  js.configs.recommended,
  ...tseslint.configs.recommended,
  {
    files: ['**/*.ts', '**/*.mts'],
    rules: {
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/consistent-type-imports': [
        'error',
        { prefer: 'type-imports', fixStyle: 'separate-type-imports', disallowTypeAnnotations: false },
      ],
      '@typescript-eslint/no-explicit-any': 'error',
      eqeqeq: ['error', 'always'],
      'no-console': 'error',
    },
  },
  {
    files: ['scripts/**', 'test/**', '*.mjs', 'esbuild.mjs'],
    languageOptions: {
      globals: Object.fromEntries(
        [
          'process',
          'console',
          'URL',
          'URLSearchParams',
          'setTimeout',
          'clearTimeout',
          'setInterval',
          'clearInterval',
          'Buffer',
          'fetch',
          'performance',
          'document',
          'window',
          'globalThis',
          'structuredClone',
          'AbortController',
          'TextDecoder',
          'TextEncoder',
          'Response',
          'queueMicrotask',
        ].map((name) => [name, 'readonly']),
      ),
    },
    rules: { 'no-console': 'off' },
  },
  {
    files: ['server/src/**/*.ts', 'client/**/*.ts'],
    plugins: { rooms: { rules: { imports: roomsRule } } },
    rules: { 'rooms/imports': 'error' },
  },
  {
    files: HOSTLESS,
    rules: {
      'no-restricted-globals': ['error', ...OF_A_HOST.map((name) => ({ name, message: 'a room without a host is handed it' }))],
      'no-restricted-properties': ['error', { object: 'Math', property: 'random', message: 'a room without a host is handed it' }],
    },
  },
  {
    // What only types can tell.
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/no-for-in-array': 'error',
      '@typescript-eslint/restrict-plus-operands': 'error',
      '@typescript-eslint/require-array-sort-compare': 'error',
    },
  },
);
