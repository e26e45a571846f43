/** The laws that a file's own name and text can break. */

import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Breach, sourceFiles } from './tree.ts';

export const maxLines = 300;

/** Files that a reader would accept above the limit, each with the reason. */
const longFiles: Readonly<Record<string, string>> = {};

interface TextLaw {
  readonly law: string;
  readonly applies: (file: string) => boolean;
  readonly pattern: RegExp;
  readonly remedy: string;
  /** Read the comments too. */
  readonly comments?: boolean;
}

const speaksToVendors = /^src\/(?:stores|engines|interop|server|cli)\//;
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
    applies: (file) => file.startsWith('src/') && !speaksToVendors.test(file),
    pattern: vendors,
    remedy: 'no vendor is named in src outside stores, engines, interop, server and cli; make it data in plugins/',
    comments: true,
  },
  {
    law: 'one-clock',
    applies: (file) => file.startsWith('src/') && file !== 'src/kit/clock.ts',
    pattern:
      /\bDate\.now\b|\bnew Date\(|\bperformance\.now\b|\bprocess\.hrtime\b|\bset(?:Timeout|Interval)\b|\bMath\.random\b|\brandomUUID\b|\bAbortSignal\.timeout\b|['"](?:node:)?timers\b/,
    remedy: 'time, chance and ids come from the injected clock, random and ids; only src/kit/clock.ts makes them',
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
    remedy: 'mend what the check found',
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
    law: 'explicit-surface',
    applies: (file) => file === 'src/index.ts',
    pattern: /^export \*/m,
    remedy: 'src/index.ts names each export',
  },
];

/** The names of the laws that this file checks. */
export const textLawNames: readonly string[] = [...textLaws.map(({ law }) => law), 'telling-names', 'short-files'];

const vagueNames = /^(?:utils?|helpers?|common|types?|misc)$/;

/** Returns every breach of the laws about names, sizes and words below `root`. */
export function textBreaches(root: string): Breach[] {
  return sourceFiles(root).flatMap((file) => {
    const text = readFileSync(join(root, file), 'utf8');
    return [...nameBreaches(file), ...lengthBreaches(file, text), ...wordBreaches(file, text)];
  });
}

function nameBreaches(file: string): Breach[] {
  const [stem = ''] = basename(file).split('.');
  const vague = [...file.split('/').slice(0, -1), stem].find((part) => vagueNames.test(part));
  if (vague === undefined) return [];
  return [{ law: 'telling-names', file, message: `"${vague}" says nothing; name it after what it holds` }];
}

function lengthBreaches(file: string, text: string): Breach[] {
  const lines = text.split('\n').length - 1;
  if (lines <= maxLines || file in longFiles) return [];
  const message = `has ${lines} lines, the limit is ${maxLines}; split it, or give a reason in scripts/laws/text.ts`;
  return [{ law: 'short-files', file, message }];
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
