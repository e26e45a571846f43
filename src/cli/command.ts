/** What a command is: its place in the help, and what happens when it is called. Each is one file of the folder commands. */
import type { Command } from 'commander';
import type { SharedOptions } from './input/shared-options.ts';
import type { Terminal } from './screen/terminal.ts';

type Operands = readonly (string | undefined)[];

interface Definition<Options, Given extends Operands> {
  /**
   * Gives the command its description, operands, options and examples. Help runs it too: what only the handler needs is
   * imported by the handler.
   */
  readonly define: (command: Command) => Command;
  /** @returns the exit code */
  readonly handle: (terminal: Terminal, options: Options & SharedOptions, ...given: Given) => Promise<number>;
  /** Called when its group is called without the name of a command. @default false */
  readonly isDefault?: boolean;
}

export interface DefinedCommand {
  readonly define: (command: Command) => Command;
  readonly isDefault?: boolean;
  /** Undefined: a group, which only holds commands. */
  readonly handle?: (terminal: Terminal, called: Command) => Promise<number>;
  readonly commands?: CommandList;
}

/** By name, in the order of the help. Only the files that a call needs are loaded. */
export type CommandList = Readonly<Record<string, () => Promise<{ readonly command: DefinedCommand }>>>;

/** `Options` are the values of the options as Commander names them, `Given` the operands in their order. */
export function defineCommand<Options = object, Given extends Operands = []>(
  definition: Definition<Options, Given>,
): DefinedCommand {
  const { handle, ...rest } = definition;
  return {
    ...rest,
    handle: (terminal, called) =>
      handle(
        terminal,
        called.optsWithGlobals<Options & SharedOptions>(),
        ...(called.processedArgs as unknown as Given),
      ),
  };
}

/** The examples at the end of a command's help. */
export const examples = (...lines: readonly string[]): string =>
  `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`;

/** What one call of the program reports, and to whom. */
export interface Calling {
  readonly terminal: Terminal;
  /** The exit code, once the command has ended. */
  code: number;
}

/**
 * Adds the commands of a list to the program or to a group.
 *
 * @param given the arguments from the name of the command on: a known name loads its own file only, all else every file,
 *   because then the help or a proposal may list them
 */
export async function addCommands(
  parent: Command,
  list: CommandList,
  given: readonly string[],
  calling: Calling,
): Promise<void> {
  const at = given[0] === 'help' ? 1 : 0;
  const named = given[at];
  const wanted = Object.entries(list).filter(([name]) => name === named);
  const loading = (wanted.length > 0 ? wanted : Object.entries(list)).map(
    async ([name, load]) => [name, (await load()).command] as const,
  );
  for (const [name, { define, handle, commands, isDefault = false }] of await Promise.all(loading)) {
    const command = define(parent.command(name, { isDefault }));
    if (handle !== undefined) {
      command.action(async () => {
        calling.code = await handle(calling.terminal, command);
      });
    }
    // Only a group that is asked for shows what it holds.
    if (commands !== undefined && name === named) await addCommands(command, commands, given.slice(at + 1), calling);
  }
}
