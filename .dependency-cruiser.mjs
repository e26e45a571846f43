// Who may import whom. scripts/laws.ts runs these rules, counts the files that were read and plants a breach of each.
const composition = '^plugins/(defaults|providers/environment)\\.ts$';
const publicSurface = '^src/(index|kit/index)\\.ts$';
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
      'kit-imports-core-only',
      'kit stands on core alone; move what it needs into core or kit',
      { path: '^src/kit/' },
      { path: anythingOfOurs, pathNot: '^src/(core|kit)/' },
    ),
    law(
      'layers-meet-in-core',
      'the folders between kit and polyphony.ts never import each other; meet in a port of src/core',
      { path: '^src/(?!(?:core|kit|server|dashboard|cli)/)([^/]+)/' },
      { path: '^src/', pathNot: ['^src/(core|kit)/', '^src/$1/'] },
    ),
    law(
      'composition-root-below-server',
      'polyphony.ts and index.ts know no server, dashboard or command; let those import the composition root',
      { path: '^src/[^/]+\\.ts$' },
      { path: '^src/(server|dashboard|cli)/' },
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
      'plugins-use-the-public-surface',
      "a plugin imports 'polyphony', 'polyphony/kit', npm packages and node built-ins, nothing else of ours",
      { path: '^plugins/' },
      { path: anythingOfOurs, pathNot: [publicSurface, '^plugins/'] },
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
      { path: anythingOfOurs, pathNot: [publicSurface, '^(plugins|workflows|examples)/'] },
    ),
    law(
      'shipped-code-needs-no-dev-dependency',
      'what users install may not import a devDependency; make it a dependency or an optional peer',
      { path: '^(src|plugins|workflows)/' },
      { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm', 'npm-peer', 'npm-optional'] },
    ),
    law(
      'imports-resolve',
      'the import leads nowhere; mend the path or install the package',
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
