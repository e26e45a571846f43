/** The overview stands before any command is loaded, and loading a definition loads little else. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { Command, Help } from 'commander';
import { describe, expect, it } from 'vitest';
import type { CommandList, DefinedCommand, ListedCommand } from '../../src/cli/command.ts';
import { COMMANDS } from '../../src/cli/program.ts';

const root = resolve(import.meta.dirname, '../..');

interface Found {
  readonly path: readonly string[];
  readonly listed: ListedCommand;
  readonly command: DefinedCommand;
}

async function listedBelow(list: CommandList, path: readonly string[] = []): Promise<readonly Found[]> {
  const all = await Promise.all(
    Object.entries(list).map(async ([name, listed]) => {
      const { command } = await listed.load();
      const below = command.commands === undefined ? [] : await listedBelow(command.commands, [...path, name]);
      return [{ path: [...path, name], listed, command }, ...below];
    }),
  );
  return all.flat();
}

const commands = await listedBelow(COMMANDS);

/** Files and packages that an import of the file loads at once, itself included. */
function loadedWith(file: string, seen = new Set<string>()): ReadonlySet<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  const text = readFileSync(join(root, file), 'utf8');
  for (const [statement, specifier = ''] of text.matchAll(/^(?:import|export)\b[^;]*?from\s+'([^']+)';/gms)) {
    const typesOnly =
      /^(?:import|export) type\b/.test(statement) || /^import \{(?:\s*type [^,}]+,?)+\s*\}/.test(statement);
    if (typesOnly) continue;
    if (specifier.startsWith('.')) loadedWith(relative(root, join(root, dirname(file), specifier)), seen);
    else seen.add(specifier);
  }
  return seen;
}

describe('a command of the list', () => {
  it.each([...commands])('$path has the operands that its definition gives it', ({ path, listed, command }) => {
    const defined = command.define(new Command(path.at(-1)));
    expect(`${path.at(-1)} ${listed.usage}`.trim()).toBe(new Help().subcommandTerm(defined));
  });

  it.each([...commands])('$path has a file of its own, which loads little at once', ({ path }) => {
    const light = new Set([...loadedWith('src/cli/main.ts'), ...loadedWith('src/cli/command-process.ts')]);
    const name = path.join('/');
    // Where the folder of commands has no room left, one stands in a folder below it.
    // One with parts of its own has a folder for them.
    const file = [`commands/${name}`, `commands/plans/${name}`, `commands/${name}/${name}`, `${name}/command`]
      .map((place) => `src/cli/${place}.ts`)
      .find((place) => existsSync(join(root, place)));
    if (file === undefined) throw new Error(`${name} has no file`);
    const more = [...loadedWith(file)].filter((one) => one !== file && !light.has(one));
    const allowed =
      /^(?:node:|src\/cli\/(?:input\/[a-z]+-options|input\/option-values|process\/interrupt)\.ts$|src\/system\/(?:clock|processes)\.ts$|src\/core\/on-abort\.ts$)/;
    expect(more.filter((one) => !allowed.test(one))).toEqual([]);
  });
});

it('the start of the program loads no command, no library but commander, and not even the clock', () => {
  const start = [...loadedWith('src/cli/command-process.ts')].filter((one) => !one.startsWith('node:'));
  // Small ones: the errors, with what cleans, cuts and reads what was thrown, the exit codes and the words of the program.
  expect(start.length).toBeLessThan(16);
  expect(start.filter((one) => /commands\/|clock|composition|gateway|stores/.test(one))).toEqual([]);
  expect(start.filter((one) => !one.startsWith('src/'))).toEqual(['commander']);
});
