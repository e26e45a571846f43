// Who may import whom. scripts/laws.ts runs these rules, counts the files that were read and plants a breach of each.
const composition = '^plugins/(defaults|providers/environment)\\.ts$';
const publicSurface = '^src/(index|kit/index)\\.ts$';
const publicSubpaths = '^src/(index|kit/index|testing/index|stores/(memory|sqlite))\\.ts$';
const kitOnly = '^src/kit/index\\.ts$';
const anythingOfOurs = '^(src|plugins|workflows|examples|test|scripts)/';
const standAlone =
  'a plugin is one file, its parts in a folder of its name (a-b may use those of a); only defaults.ts and providers/environment.ts gather plugins';

const law = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

export default {
  forbidden: [
    law(
      'core-imports-zod-only',
      'core is the vocabulary: it imports itself and zod, no node built-in; move the code to kit or take it as a port',
      { path: '^src/core/' },
      { pathNot: ['^src/core/', '(^|/)node_modules/zod/'] },
    ),
    law(
      'ground-floor-downwards',
      'core ← system ← language ← kit ← runs, testing: each stands on those before it; move what it needs down',
      { path: '^src/system/' },
      { path: anythingOfOurs, pathNot: '^src/(core|system)/' },
    ),
    law(
      'ground-floor-downwards',
      'core ← system ← language ← kit ← runs, testing: each stands on those before it; move what it needs down',
      { path: '^src/language/' },
      { path: anythingOfOurs, pathNot: '^src/(core|system|language)/' },
    ),
    law(
      'kit-imports-the-ground-only',
      'kit stands on core, system and language; move what it needs into one of them',
      { path: '^src/kit/' },
      { path: anythingOfOurs, pathNot: '^src/(core|system|language|kit)/' },
    ),
    law(
      'suites-are-for-tests',
      'polyphony/testing holds fakes and suites: only tests and examples import it, and it imports no layer',
      { path: '^src/testing/' },
      { path: anythingOfOurs, pathNot: '^src/(core|system|language|kit|testing)/' },
    ),
    law(
      'suites-are-for-tests',
      'polyphony/testing holds fakes and suites: only tests and examples import it, and it imports no layer',
      { path: '^(src/(?!testing/)|plugins/|workflows/)' },
      { path: '^src/testing/' },
    ),
    law(
      'layers-meet-in-core',
      'the folders between kit and composition never import each other; meet in a port of src/core',
      {
        path: '^src/(?!(?:core|system|language|kit|testing|executor|engines|runners|composition|server|dashboard|cli)/)([^/]+)/',
      },
      { path: '^src/', pathNot: ['^src/(core|system|language|kit)/', '^src/$1/'] },
    ),
    law(
      'engines-share-the-rules-of-a-run',
      'engines and runners import the ground and the rules in src/runs, nothing of each other',
      { path: '^src/(executor|engines|runners)/' },
      { path: '^src/', pathNot: ['^src/(core|system|language|kit|runs)/', '^src/$1/'] },
    ),
    law(
      'composition-root-below-server',
      'polyphony.ts, index.ts and composition know no server, dashboard or command; let those import the composition root',
      { path: '^src/([^/]+\\.ts$|composition/)' },
      { path: '^src/(server|dashboard|cli)/' },
    ),
    law(
      'composition-below-its-root',
      'composition holds the parts of polyphony.ts, which imports them; move what both need into composition',
      { path: '^src/composition/' },
      { path: '^src/(polyphony|index)\\.ts$' },
    ),
    law(
      'nobody-imports-the-command',
      'cli is the outermost layer; move what is shared inwards',
      { path: '^(src/(server|dashboard)|plugins|workflows|examples)/' },
      { path: '^src/cli/' },
    ),
    law(
      'src-never-imports-its-own-surface',
      'src/index.ts is for users; inside src import the file itself',
      { path: '^src/' },
      { path: '^src/index\\.ts$' },
    ),
    law(
      'src-never-imports-its-users',
      'src imports no examples, tests or scripts',
      { path: '^src/' },
      { path: '^(examples|test|scripts)/' },
    ),
    law(
      'src-workflows-at-the-edge',
      'only cli and polyphony.ts import workflows; the planner may read their .plan.json',
      { path: '^src/', pathNot: '^src/(cli/|polyphony\\.ts$)' },
      { path: '^workflows/', pathNot: '\\.plan\\.json$' },
    ),
    law(
      'src-imports-no-plugin',
      'only polyphony.ts and cli import plugins; everyone else gets them handed in',
      { path: '^src/', pathNot: '^src/(cli/|polyphony\\.ts$)' },
      { path: '^plugins/' },
    ),
    law(
      'polyphony-imports-default-plugins-only',
      'polyphony.ts reaches plugins through plugins/defaults.ts and plugins/providers/environment.ts',
      { path: '^src/polyphony\\.ts$' },
      { path: '^plugins/', pathNot: composition },
    ),
    law(
      'polyphony-imports-plugins-lazily',
      'polyphony.ts loads plugins with await import(), so that a user who brings their own pays for none',
      { path: '^src/polyphony\\.ts$' },
      { path: '^plugins/', dynamic: false },
    ),
    law(
      'plugins-import-the-kit-only',
      "a plugin imports 'polyphony/kit', npm packages and node built-ins, nothing else of ours: not 'polyphony', which imports the plugins",
      { path: '^plugins/' },
      { path: anythingOfOurs, pathNot: [kitOnly, '^plugins/'] },
    ),
    law(
      'plugins-stand-alone',
      standAlone,
      { path: '^plugins/(([^/]+/[^/.-]+)[^/.]*)(\\.ts$|/)', pathNot: composition },
      { path: '^plugins/', pathNot: ['^plugins/$1/', '^plugins/$2/'] },
    ),
    law(
      'plugins-stand-alone',
      standAlone,
      { path: '^plugins/[^/]+\\.ts$', pathNot: composition },
      { path: '^plugins/' },
    ),
    law(
      'workflows-use-the-public-surface',
      "a workflow imports 'polyphony', 'polyphony/kit', npm packages and other workflows",
      { path: '^workflows/' },
      { path: anythingOfOurs, pathNot: [publicSurface, '^workflows/'] },
    ),
    law(
      'examples-use-the-public-surface',
      'an example imports what a user can import: polyphony and its subpaths',
      { path: '^examples/' },
      { path: anythingOfOurs, pathNot: [publicSubpaths, '^(plugins|workflows|examples)/'] },
    ),
    law(
      'shipped-code-needs-no-dev-dependency',
      'what users install may not import a devDependency; make it a dependency or an optional peer',
      { path: '^(src|plugins|workflows)/' },
      { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm', 'npm-peer', 'npm-optional'] },
    ),
    law(
      'imports-resolve',
      'the import leads nowhere; correct the path or install the package',
      {},
      { couldNotResolve: true },
    ),
  ],
  options: {
    // Neither of its other parsers reads TypeScript 7; without this it cruises nothing and reports no violations.
    parser: 'swc',
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['polyphony-source', 'import', 'node', 'types', 'default', 'require'],
    },
  },
};
