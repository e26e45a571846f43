/** A small project that keeps every law, and one file for each way of breaking one. */

/** Path → text of files that keep the laws. */
export const lawful: Readonly<Record<string, string>> = {
  'src/core/a.ts':
    "import { z } from 'zod';\n// says https://example.com in a comment, and Date.now too\nexport const a = z;\n",
  'src/kit/index.ts': "import { a } from '../core/a.ts';\nexport const kit = a;\n",
  'src/system/clock.ts': 'export const now = () => Date.now();\n',
  'src/planner/a.ts': "import { kit } from '../kit/index.ts';\nexport const planner = kit;\n",
  'src/server/a.ts':
    "import { polyphony } from '../polyphony.ts';\n// the Anthropic surface\nexport const server = polyphony;\n",
  'src/cli/main.ts':
    "import { server } from '../server/a.ts';\nexport const cli = [server, import('../../plugins/one.ts')];\n",
  'src/polyphony.ts':
    "import { planner } from './planner/a.ts';\nexport const polyphony = [planner, () => import('../plugins/defaults.ts'), () => import('../plugins/providers/environment.ts')];\n",
  'src/index.ts': "export { polyphony } from './polyphony.ts';\n",
  'src/testing/index.ts': "import { kit } from '../kit/index.ts';\nexport const fake = kit;\n",
  'src/runs/a.ts': "import { kit } from '../kit/index.ts';\nexport const rule = kit;\n",
  'src/executor/a.ts': "import { rule } from '../runs/a.ts';\nexport const engine = rule;\n",
  'plugins/one.ts': "import { kit } from 'polyphony/kit';\nexport default kit;\n",
  'plugins/guards/alone.ts': "import { part } from './alone/part.ts';\nexport default part;\n",
  'plugins/guards/alone/part.ts': "export { rest as part } from './rest.ts';\n",
  'plugins/guards/alone/rest.ts': 'export const rest = 1;\n',
  'plugins/defaults.ts': "export { default as alone } from './guards/alone.ts';\n",
  'plugins/providers/environment.ts': "export { default as one } from '../one.ts';\n",
  'workflows/one.ts': "import { polyphony } from 'polyphony';\nexport const workflow = polyphony;\n",
  'examples/one.ts':
    "import one from 'polyphony/plugins/one';\nimport { workflow } from 'polyphony/workflows/one';\nexport const example = [one, workflow];\n",
  'test/a.test.ts': "import { planner } from '../src/planner/a.ts';\nexport const tested = planner;\n",
};

const line = (code: string) => `${code}\n`;
const takes = (specifier: string) => line(`import * as taken from '${specifier}';\nexport { taken };`);
const takesType = (specifier: string) => line(`import type { X } from '${specifier}';\nexport type Y = X;`);

export interface Plant {
  readonly law: string;
  readonly file: string;
  readonly text: string;
}

/** `count` items, named a, b, c and so on. */
const numbered = <T>(count: number, make: (name: string) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(String.fromCharCode(97 + index)));

/** Files that must each be caught, and for that law only. */
export const unlawful: readonly Plant[] = [
  { law: 'core-imports-zod-only', file: 'src/core/outward.ts', text: takes('../system/clock.ts') },
  { law: 'core-imports-zod-only', file: 'src/core/builtin.ts', text: takes('node:fs') },
  { law: 'core-imports-zod-only', file: 'src/core/package.ts', text: takesType('undici') },
  { law: 'ground-floor-downwards', file: 'src/system/outward.ts', text: takesType('../kit/index.ts') },
  { law: 'ground-floor-downwards', file: 'src/language/outward.ts', text: takesType('../kit/index.ts') },
  { law: 'kit-imports-the-ground-only', file: 'src/kit/outward.ts', text: takesType('../planner/a.ts') },
  { law: 'suites-are-for-tests', file: 'src/testing/outward.ts', text: takesType('../planner/a.ts') },
  { law: 'suites-are-for-tests', file: 'src/cli/suite.ts', text: takesType('../testing/index.ts') },
  { law: 'engines-share-the-rules-of-a-run', file: 'src/runners/engine.ts', text: takesType('../executor/a.ts') },
  { law: 'layers-meet-in-core', file: 'src/gateway/sideways.ts', text: takesType('../planner/a.ts') },
  { law: 'layers-meet-in-core', file: 'src/gateway/upward.ts', text: takes('../polyphony.ts') },
  { law: 'composition-root-below-server', file: 'src/root.ts', text: takes('./server/a.ts') },
  { law: 'composition-below-its-root', file: 'src/composition/root.ts', text: takesType('../polyphony.ts') },
  { law: 'nobody-imports-the-command', file: 'src/dashboard/command.ts', text: takes('../cli/main.ts') },
  { law: 'src-never-imports-its-own-surface', file: 'src/server/surface.ts', text: takes('polyphony') },
  { law: 'src-never-imports-its-users', file: 'src/cli/tester.ts', text: takes('../../test/a.test.ts') },
  { law: 'src-workflows-at-the-edge', file: 'src/server/workflow.ts', text: takes('../../workflows/one.ts') },
  { law: 'src-imports-no-plugin', file: 'src/server/plugin.ts', text: takes('../../plugins/one.ts') },
  {
    law: 'src-imports-no-plugin',
    file: 'src/server/lazy.ts',
    text: line("export const a = import('../../plugins/one.ts');"),
  },
  { law: 'plugins-import-the-kit-only', file: 'plugins/inside.ts', text: takes('polyphony/workflows/one') },
  { law: 'plugins-stand-alone', file: 'plugins/providers/two.ts', text: takes('../one.ts') },
  { law: 'plugins-stand-alone', file: 'plugins/top.ts', text: takes('./one.ts') },
  { law: 'plugins-stand-alone', file: 'plugins/guards/three.ts', text: takes('./alone/part.ts') },
  { law: 'plugins-stand-alone', file: 'plugins/guards/four/part.ts', text: takes('../alone.ts') },
  { law: 'workflows-use-the-public-surface', file: 'workflows/inside.ts', text: takes('polyphony/plugins/one') },
  { law: 'examples-use-the-public-surface', file: 'examples/inside.ts', text: takes('../scripts/tool.ts') },
  { law: 'shipped-code-needs-no-dev-dependency', file: 'src/planner/dev.ts', text: takes('fast-check') },
  { law: 'imports-resolve', file: 'test/nowhere.ts', text: takes('./nothing.ts') },
  { law: 'imports-by-package-name', file: 'plugins/path.ts', text: takes('../src/kit/index.ts') },
  { law: 'no-cycles', file: 'src/stores/arc.ts', text: takesType('./bow.ts') + line('export type X = 1;') },
  { law: 'no-vendor-in-src', file: 'src/gateway/vendor.ts', text: line('// only for OpenAI') },
  { law: 'one-clock', file: 'src/gateway/clock.ts', text: line('export const now = Date.now();') },
  {
    law: 'one-clock',
    file: 'src/gateway/chance.ts',
    text: line("export const a = ['https://x', '*/*', Math.random()];"),
  },
  { law: 'one-clock', file: 'src/gateway/timer.ts', text: line('/** Waits. */\nexport const wait = setTimeout;') },
  { law: 'one-clock', file: 'src/gateway/identity.ts', text: line('export const id = crypto.randomUUID();') },
  {
    law: 'one-listener-a-signal',
    file: 'src/gateway/listener.ts',
    text: line("export const follow = (signal: AbortSignal) => signal.addEventListener('abort', () => {});"),
  },
  {
    law: 'one-listener-a-signal',
    file: 'src/gateway/joined.ts',
    text: line('export const join = (signals: AbortSignal[]) => AbortSignal.any(signals);'),
  },
  {
    law: 'units-in-names',
    file: 'src/gateway/unit.ts',
    text: line('export interface Pause {\n  readonly waitMilliseconds?: number;\n}'),
  },
  {
    law: 'imports-at-the-top',
    file: 'src/gateway/inline.ts',
    text: line("export type A = import('../planner/a.ts').A;"),
  },
  {
    law: 'imports-at-the-top',
    file: 'plugins/inline.ts',
    text: line("export type A = typeof import('../src/polyphony.ts');"),
  },
  { law: 'imports-are-used', file: 'src/cli/at-once.ts', text: line("import '../core/a.ts';") },
  { law: 'imports-are-used', file: 'src/cli/later.ts', text: line("  void import('../core/a.ts');") },
  {
    law: 'rules-drive-nothing',
    file: 'src/runs/turn/signal.ts',
    text: line('export const stopper = new AbortController();'),
  },
  { law: 'engines-share-the-rules-of-a-run', file: 'src/engines/other.ts', text: takesType('../executor/a.ts') },
  { law: 'no-any', file: 'test/any.ts', text: line(`export const a: ${'any'} = 1;`) },
  { law: 'no-any', file: 'test/as-any.ts', text: line(`export const a = (1 as ${'any'}).b;`) },
  { law: 'no-any', file: 'test/generic-any.ts', text: line(`export const a: Array<${'any'}> = [];`) },
  { law: 'no-silenced-check', file: 'test/silenced.ts', text: line(`// @ts-${'ignore'}\nexport const a = 1;`) },
  {
    law: 'no-silenced-check',
    file: 'test/unlinted.ts',
    text: line(`// biome-${'ignore'} lint: no\nexport const a = 1;`),
  },
  { law: 'expected-errors-in-type-tests', file: 'test/expected.ts', text: line(`// @ts-${'expect-error'}\n1();`) },
  { law: 'no-parked-work', file: 'test/parked.ts', text: line(`// ${'TO'}DO: later`) },
  { law: 'no-parked-work', file: 'test/skipped.ts', text: line(`test.${'skip'}('a', () => {});`) },
  { law: 'telling-names', file: 'src/kit/utils.ts', text: line('export const a = 1;') },
  { law: 'telling-names', file: 'plugins/helpers/three.ts', text: line('export const a = 1;') },
  { law: 'rooms-one-way', file: 'src/validator/checks/node.ts', text: takesType('../document/shape.ts') },
  { law: 'short-files', file: 'test/long.ts', text: '\n'.repeat(401) },
  { law: 'few-long-files', file: 'test/long.ts', text: '\n'.repeat(401) },
  ...numbered(8, (name) => ({ law: 'few-long-files', file: `test/${name}.ts`, text: '\n'.repeat(301) })),
  { law: 'small-folders', file: 'src/drawing/q.ts', text: line('export const a = 1;') },
];

/** Files that a breach above needs and that break no law themselves. */
export const supportingFiles: Readonly<Record<string, string>> = {
  'src/stores/bow.ts': takesType('./arc.ts') + line('export type X = 1;'),
  'scripts/tool.ts': line('export const tool = 1;'),
  'src/validator/checks/name.ts': line('export type X = 1;'),
  'src/validator/document/shape.ts': line('export type X = 1;'),
  'src/validator/document/text.ts': takesType('../checks/name.ts'),
  ...Object.fromEntries(numbered(16, (name) => [`src/drawing/${name}.ts`, line('export const a = 1;')])),
};

/** Texts of files that must exist once: each replaces its lawful version in a project of its own. */
export const replacements: readonly Plant[] = [
  {
    law: 'polyphony-imports-default-plugins-only',
    file: 'src/polyphony.ts',
    text: line("export const polyphony = () => import('../plugins/guards/alone.ts');"),
  },
  { law: 'polyphony-imports-plugins-lazily', file: 'src/polyphony.ts', text: takes('../plugins/defaults.ts') },
  { law: 'explicit-surface', file: 'src/index.ts', text: line("export * from './polyphony.ts';") },
];
