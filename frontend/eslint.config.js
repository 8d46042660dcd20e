import { readdirSync } from 'node:fs';
import { createNodeResolver, importX } from 'eslint-plugin-import-x';
import hooks from 'eslint-plugin-react-hooks';
import globals from 'globals';
import tseslint from 'typescript-eslint';

/** The folders of src/, from top to bottom: each imports only from those below it (docs/architecture.md). */
const LAYERS = ['app', 'features', 'ui', 'state', 'processing', 'files', 'imaging', 'api', 'i18n', 'lib'];
const FEATURES = readdirSync('src/features');

const layerZones = LAYERS.map((layer, n) => ({
  target: `./src/${layer}`,
  from: ['./src/main.tsx', ...LAYERS.slice(0, n).map((above) => `./src/${above}`)],
  message: `${layer}/ imports only from: ${LAYERS.slice(n + 1).join(', ') || 'nothing'}.`,
}));
const featureZones = FEATURES.map((feature) => ({
  target: `./src/features/${feature}`,
  from: './src/features',
  except: [`./${feature}`],
  message: 'Features do not import one another: what two of them share belongs to a layer below.',
}));

/** A page that comes by plain HTTP from another machine has none of these, whatever the types say. */
const SECURE_ONLY = [
  ['crypto', 'randomUUID'],
  ['crypto', 'subtle'],
  ['navigator', 'clipboard'],
  ['navigator', 'gpu'],
  ['navigator', 'locks'],
  ['navigator', 'serviceWorker'],
  ['navigator', 'storage'],
  ['navigator', 'wakeLock'],
].map(([object, property]) => ({
  object,
  property,
  message: 'Browsers have it only for pages by HTTPS or from this machine.',
}));

export default tseslint.config(
  {
    ignores: [
      'dist',
      'node_modules',
      'src/api/schema.ts',
      'playwright-report',
      'test-results',
      'public',
      'scripts',
    ],
  },
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: {
      globals: globals.browser,
      parserOptions: { projectService: { allowDefaultProject: ['eslint.config.js'] } },
    },
    plugins: { 'react-hooks': hooks, 'import-x': importX },
    settings: {
      'import-x/extensions': ['.ts', '.tsx'],
      'import-x/parsers': { '@typescript-eslint/parser': ['.ts', '.tsx'] },
      'import-x/resolver-next': [createNodeResolver({ extensions: ['.ts', '.tsx', '.js'] })],
    },
    rules: {
      'react-hooks/rules-of-hooks': 'error',
      'react-hooks/exhaustive-deps': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { attributes: false } }],
      '@typescript-eslint/consistent-type-imports': 'error',
      'max-lines': ['error', { max: 300 }],
      '@typescript-eslint/no-unused-vars': ['error', { varsIgnorePattern: '^_' }],
      eqeqeq: 'error',
      'no-console': 'error',
    },
  },
  {
    files: ['src/**'],
    rules: {
      'import-x/no-restricted-paths': ['error', { zones: [...layerZones, ...featureZones] }],
      'import-x/no-cycle': 'error',
      'no-restricted-properties': ['error', ...SECURE_ONLY],
      'no-restricted-syntax': [
        'error',
        {
          selector: 'Program > VariableDeclaration[kind!="const"]',
          message: 'No module-level mutable state.',
        },
      ],
    },
  },
  { files: ['src/i18n/**'], rules: { 'max-lines': 'off' } },
  // Playwright's fixtures end with a call of a function named `use`, which is not a hook of React.
  { files: ['e2e/**'], rules: { 'react-hooks/rules-of-hooks': 'off' } },
  { files: ['**/*.js'], ...tseslint.configs.disableTypeChecked },
);
