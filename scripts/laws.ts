/**
 * Checks the laws of the code base, after proving with planted breaches that each law still catches one.
 * A law that catches nothing is worse than none, because people rely on it.
 */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { checkImports, unreadFiles } from './laws/imports.ts';
import { lawful, type Plant, replacements, supportingFiles, unlawful } from './laws/plants.ts';
import { textBreaches, textLawNames } from './laws/text.ts';
import { type Breach, sourceFiles } from './laws/tree.ts';
import { scriptWords } from './script-words.ts';

scriptWords(import.meta.filename, {});
const root = resolve(import.meta.dirname, '..');

/** Writes `files` as a project below the temporary folder and returns its breaches. */
function breachesOfPlanted(files: Readonly<Record<string, string>>): Breach[] {
  const directory = mkdtempSync(join(tmpdir(), 'polyphony-laws-'));
  try {
    symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'));
    writeFileSync(join(directory, 'package.json'), readFileSync(join(root, 'package.json')));
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(dirname(join(directory, file)), { recursive: true });
      writeFileSync(join(directory, file), text);
    }
    return [...checkImports(directory).breaches, ...textBreaches(directory)];
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function signatures(breaches: readonly Breach[]): Set<string> {
  return new Set(breaches.map(({ law, file }) => `${law} in ${file.replace(/:\d+$/, '')}`));
}

function differences(
  where: string,
  expected: readonly Breach[] | readonly Plant[],
  found: readonly Breach[],
): string[] {
  const wanted = signatures(expected.map(({ law, file }) => ({ law, file, message: '' })));
  const caught = signatures(found);
  return [
    ...[...wanted].filter((one) => !caught.has(one)).map((one) => `${where}: not caught: ${one}`),
    ...[...caught].filter((one) => !wanted.has(one)).map((one) => `${where}: caught, but lawful: ${one}`),
  ];
}

/** Returns one complaint for every planted breach that was missed and every lawful file that was reported. */
function ineffectiveLaws(laws: readonly string[]): string[] {
  const planted = Object.fromEntries(unlawful.map(({ file, text }) => [file, text]));
  const complaints = [
    ...differences('lawful project', [], breachesOfPlanted(lawful)),
    ...differences('planted project', unlawful, breachesOfPlanted({ ...lawful, ...supportingFiles, ...planted })),
  ];
  for (const plant of replacements) {
    const found = breachesOfPlanted({ ...lawful, [plant.file]: plant.text });
    complaints.push(...differences(`planted ${plant.file}`, [plant], found));
  }
  const files = sourceFiles(root);
  if (unreadFiles(root, files, []).length !== files.length) complaints.push('an empty import graph was not reported');
  const blind = files.map((source) => ({ source, dependencies: [] }));
  if (unreadFiles(root, files, blind).length === 0) complaints.push('an import graph without imports was not reported');
  const proven = new Set(['every-file-is-read', ...[...unlawful, ...replacements].map(({ law }) => law)]);
  const unproven = laws.filter((law) => !proven.has(law));
  return [...complaints, ...unproven.map((law) => `no breach is planted for the law ${law}`)];
}

const imports = checkImports(root);
const breaches = [...imports.breaches, ...textBreaches(root)];
const complaints = ineffectiveLaws([...imports.laws, ...textLawNames]);
for (const complaint of complaints) console.error(`the laws are not reliable: ${complaint}`);
for (const { law, file, message } of breaches) console.error(`${file} [${law}] ${message}`);
const planted = unlawful.length + replacements.length;
console.log(
  `${sourceFiles(root).length} files, ${breaches.length} breaches; ${planted} planted breaches, ${complaints.length} wrong`,
);
process.exitCode = complaints.length + breaches.length === 0 ? 0 : 1;
