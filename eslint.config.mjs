// Rules that find mistakes; the form is Prettier's.
import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/** Imports that would turn the one road of data round (docs/architecture.md). */
const within = (room, message, ...patterns) => ({
  files: [`server/src/${room}/**/*.ts`],
  rules: { 'no-restricted-imports': ['error', { patterns: patterns.map((group) => ({ group: [group], message })) }] },
});

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
  within(
    'engine',
    'the engine imports nothing outside itself',
    'node:*',
    'vscode*',
    'chevrotain',
    '**/language/**',
    '**/run/**',
    '**/views/**',
    '**/services/**',
    '**/protocol/**',
    '**/cli/**',
    '**/export/**',
  ),
  within('language', 'the language knows programs, not runs', 'node:*', '**/run/**', '**/services/**', '**/cli/**', '**/export/**'),
  within(
    'events',
    'events are read from rows, by whomever',
    'node:*',
    '**/language/**',
    '**/run/**',
    '**/views/**',
    '**/services/**',
    '**/cli/**',
    '**/export/**',
  ),
  within('views', 'views are pure functions of a run', 'node:*', '**/services/**', '**/cli/**', '**/export/**'),
  within(
    'services',
    'services know LSP types and no connection, files or timers',
    'node:*',
    'vscode-languageserver/node*',
    '**/cli/**',
    '**/node/**',
    '**/browser/**',
  ),
);
