/** The laws that a file's own name and text can break. */

import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type Breach, sourceFiles } from './tree.ts';

/** In lines. A longer file is split. */
const maxLines = 400;
/** Most files are shorter; only one in twenty may be longer. */
const usualLines = 300;
const longFileShare = 1 / 20;
/** Most files in one folder of src, so that a reader can survey it. */
const maxFiles = 16;

interface TextLaw {
  readonly law: string;
  readonly applies: (file: string) => boolean;
  readonly pattern: RegExp;
  readonly remedy: string;
  /** Search the comments too. */
  readonly comments?: boolean;
}

const mayNameVendors = /^src\/(?:stores|engines|interop|server|cli)\//;
const vendors = new RegExp(
  [
    'open-?ai|anthropic|claude|gemini|google|vertex-?ai|mistral|deepseek|qwen|openrouter|bedrock|azure|groq|ollama',
    'llama|huggingface|cerebras|together\\.?ai|fireworks\\.?ai|\\bgpt-?\\d|\\bcohere\\b|\\bx\\.?ai\\b|\\bgrok\\b|\\baws\\b',
    '\\bmoonshot|\\bkimi\\b|\\bzhipu|\\bperplexity\\.ai',
  ].join('|'),
  'i',
);

const textLaws: readonly TextLaw[] = [
  {
    law: 'no-vendor-in-src',
    applies: (file) => file.startsWith('src/') && !mayNameVendors.test(file),
    pattern: vendors,
    remedy: 'no vendor is named in src outside stores, engines, interop, server and cli; make it data in plugins/',
    comments: true,
  },
  {
    law: 'one-clock',
    applies: (file) => file.startsWith('src/') && file !== 'src/system/clock.ts',
    pattern:
      /\bDate\.now\b|\bnew Date\(|\bperformance\.now\b|\bprocess\.hrtime\b|\bset(?:Timeout|Interval)\b|\bMath\.random\b|\brandomUUID\b|\bAbortSignal\.timeout\b|['"](?:node:)?timers\b/,
    remedy: 'time, chance and ids come from the injected clock, random and ids; only src/system/clock.ts makes them',
  },
  {
    law: 'units-in-names',
    applies: (file) => /^(?:src|plugins)\//.test(file),
    pattern:
      /(?<!@deprecated [^\n]*\n\s*)\breadonly (?!attemptSeconds\b)\w*(?:[mM]illiseconds|[a-z]Seconds|[a-z]Dollars|[a-z]Cents)\??:/,
    remedy:
      'a time ends in Ms, money in Usd or NanoUsd (docs/reference/units.md); an older name that is still accepted says @deprecated',
    comments: true,
  },
  {
    law: 'rules-drive-nothing',
    applies: (file) => file.startsWith('src/runs/'),
    pattern: /\bAbortController\b|\.schedule\(|\bqueueMicrotask\b|\bsleep\(|\.claim\(/,
    remedy: 'signals, timers and leases are the work of an engine; ask for it through the Driver port',
  },
  {
    law: 'one-listener-a-signal',
    applies: (file) => /^(?:src|plugins)\//.test(file) && file !== 'src/core/on-abort.ts',
    pattern: /\b(?:addEventListener|addAbortListener|setMaxListeners|AbortSignal\.any)\(/,
    remedy:
      'Node warns at the eleventh listener of a signal, and AbortSignal.any stays attached: use onAbort or joinedSignal (src/core/on-abort.ts)',
  },
  {
    // Biome finds the rest; this one also holds where its rule was switched off.
    law: 'no-any',
    applies: () => true,
    pattern: /(?::\s*|\bas\s+|<)any\b(?=\s*[[\]>,;)=|&{]|$)/m,
    remedy: 'take unknown and a schema or a guard',
  },
  {
    law: 'no-silenced-check',
    applies: () => true,
    pattern: /@ts-(?:ignore|nocheck)|biome-(?:ignore)|eslint-(?:disable)/,
    remedy: 'correct what the check found',
    comments: true,
  },
  {
    law: 'expected-errors-in-type-tests',
    applies: (file) => !file.endsWith('.types.ts'),
    pattern: /@ts-(?:expect-error)/,
    remedy: 'belongs in test/**/*.types.ts',
    comments: true,
  },
  {
    law: 'no-parked-work',
    applies: () => true,
    pattern: /\b(?:TO)(?:DO)\b|\b(?:FIX)(?:ME)\b|\b(?:test|it|describe)\.(?:skip|only|todo)\(/,
    remedy: 'finish it or leave it out',
    comments: true,
  },
  {
    // The cruiser does not see imports inside types, so they would slip past the import laws.
    law: 'imports-at-the-top',
    applies: (file) => !/^(?:test|scripts)\//.test(file),
    pattern: /\bimport\(['"](?:\.|polyphony)[^'"]*['"]\)\.[A-Z]|\btypeof\s+import\(['"](?:\.|polyphony)/,
    remedy: 'write import type at the top of the file',
  },
  {
    // The package says that its files do nothing by being loaded, so a bundler drops an import of which nothing is used.
    law: 'imports-are-used',
    applies: (file) => /^(?:src|plugins|workflows)\//.test(file),
    pattern: /^import\s*['"]|^\s*(?:void\s+|await\s+)?import\([^()]*\);/m,
    remedy: 'export a function that does it, and call that',
  },
  {
    law: 'explicit-surface',
    applies: (file) => file === 'src/index.ts',
    pattern: /^export \*/m,
    remedy: 'src/index.ts names each export',
  },
];

/** The names of the laws that this file checks. */
export const textLawNames: readonly string[] = [
  ...textLaws.map(({ law }) => law),
  'telling-names',
  'short-files',
  'few-long-files',
  'small-folders',
];

const vagueNames = /^(?:utils?|helpers?|common|types?|misc)$/;

/** Returns every breach of the laws about names, sizes and words below `root`. */
export function textBreaches(root: string): Breach[] {
  const files = sourceFiles(root);
  const texts = files.map((file) => ({ file, text: readFileSync(join(root, file), 'utf8') }));
  return [
    ...texts.flatMap(({ file, text }) => [
      ...nameBreaches(file),
      ...lengthBreaches(file, text),
      ...wordBreaches(file, text),
    ]),
    ...longFileBreaches(texts),
    ...folderBreaches(files),
  ];
}

function nameBreaches(file: string): Breach[] {
  const [stem = ''] = basename(file).split('.');
  const vague = [...file.split('/').slice(0, -1), stem].find((part) => vagueNames.test(part));
  if (vague === undefined) return [];
  return [{ law: 'telling-names', file, message: `"${vague}" is too vague; name it after what it contains` }];
}

const linesOf = (text: string): number => text.split('\n').length - 1;

function lengthBreaches(file: string, text: string): Breach[] {
  const lines = linesOf(text);
  if (lines <= maxLines) return [];
  return [
    {
      law: 'short-files',
      file,
      message: `has ${lines} lines, the limit is ${maxLines}: split it by what changes together`,
    },
  ];
}

/** All files above the usual length, when there are too many of them. */
function longFileBreaches(texts: readonly { readonly file: string; readonly text: string }[]): Breach[] {
  const long = texts.filter(({ text }) => linesOf(text) > usualLines);
  const allowed = Math.max(1, Math.floor(texts.length * longFileShare));
  if (long.length <= allowed) return [];
  const message = `has more than ${usualLines} lines, as ${long.length} files have; ${allowed} may: shorten one of them`;
  return long.map(({ file }) => ({ law: 'few-long-files', file, message }));
}

/** plugins/providers holds one file per provider; the folders of their parts obey the limit. */
function folderBreaches(files: readonly string[]): Breach[] {
  const folders = new Map<string, string[]>();
  for (const file of files) {
    const folder = dirname(file);
    if (!/^(?:src|plugins)\b/.test(folder) || folder === 'plugins/providers') continue;
    folders.set(folder, [...(folders.get(folder) ?? []), file]);
  }
  return [...folders].flatMap(([folder, members]) => {
    const file = members[maxFiles];
    if (file === undefined) return [];
    const message = `is one of ${members.length} files in ${folder}, the limit is ${maxFiles}: divide it into rooms`;
    return [{ law: 'small-folders', file, message }];
  });
}

function wordBreaches(file: string, text: string): Breach[] {
  const code = withoutComments(text);
  return textLaws
    .filter((law) => law.applies(file))
    .flatMap(({ law, pattern, remedy, comments }) => {
      const subject = comments === true ? text : code;
      const match = pattern.exec(subject);
      if (match === null) return [];
      const line = subject.slice(0, match.index).split('\n').length;
      return [{ law, file: `${file}:${line}`, message: `"${match[0].trim()}": ${remedy}` }];
    });
}

/** Blanks comments and keeps the line count; marks without a space before them may be part of a string, so they stay. */
function withoutComments(text: string): string {
  return text
    .replace(/(?<=^|\s)\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '))
    .replace(/(^|\s)\/\/ [^\n]*/gm, '$1');
}
