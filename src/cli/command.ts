/** The definition of a command: its line in the overview, its options and examples, and its handler. */
import { type Command, Help } from 'commander';
import type { SharedOptions } from './input/shared-options.ts';
import type { Terminal } from './screen/terminal.ts';

/** Where runs are kept unless --store says otherwise. */
export const DEFAULT_STORE = '.polyphony/polyphony.db';

type Operands = readonly (string | undefined)[];

interface Definition<Options, Given extends Operands> {
  /** Adds operands, options and examples. It also runs for the help, so only the handler imports the working modules. */
  readonly define: (command: Command) => Command;
  /** @returns the exit code */
  readonly handle: (terminal: Terminal, options: Options & SharedOptions, ...given: Given) => Promise<number>;
}

export interface DefinedCommand {
  readonly define: (command: Command) => Command;
  /** Undefined: a group, which only holds commands. */
  readonly handle?: (terminal: Terminal, called: Command) => Promise<number>;
  readonly commands?: CommandList;
}

/** The facts of a command that the overview shows, available before the file of any command is loaded. */
export interface ListedCommand {
  /** Its operands as the overview shows them; a test compares them with the definition. */
  readonly usage: string;
  /** Also its description, unless its definition gives another. */
  readonly summary: string;
  readonly load: () => Promise<{ readonly command: DefinedCommand }>;
  /** It runs when its group is called without the name of a command. @default false */
  readonly isDefault?: boolean;
}

/** By name, in the order of the help. */
export type CommandList = Readonly<Record<string, ListedCommand>>;

/** `Options` are the values of the options as Commander names them, `Given` the operands in their order. */
export function defineCommand<Options = object, Given extends Operands = []>({
  define,
  handle,
}: Definition<Options, Given>): DefinedCommand {
  return {
    define,
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

/** One call of the program. */
export interface Calling {
  readonly terminal: Terminal;
  /** The arguments from the first operand on. */
  readonly given: readonly string[];
  /** The exit code, once the command has ended. */
  code: number;
}

/** Adds the commands of a list to the program or to a group. Loads only the files of the commands that the arguments name. */
export async function addCommands(parent: Command, list: CommandList, calling: Calling): Promise<void> {
  const named = new Set(calling.given.filter((word) => Object.hasOwn(list, word)));
  const usual = new Help();
  parent.configureHelp({
    ...parent.configureHelp(),
    subcommandTerm: (command) => {
      const listed = list[command.name()];
      return listed === undefined ? usual.subcommandTerm(command) : `${command.name()} ${listed.usage}`.trimEnd();
    },
  });
  for (const [name, { summary, load, isDefault = false }] of Object.entries(list)) {
    const command = parent.command(name, { isDefault }).summary(summary).description(summary);
    command.showHelpAfterError(`(see ${wholeName(command)} --help)`);
    if (!named.has(name) && !(isDefault && named.size === 0)) continue;
    const { define, handle, commands } = (await load()).command;
    define(command);
    if (handle !== undefined) {
      command.action(async () => {
        calling.code = await handle(calling.terminal, command);
      });
    }
    if (commands !== undefined) await addCommands(command, commands, calling);
  }
}

/** With the groups that it is in: `polyphony store prune`. */
const wholeName = (command: Command): string =>
  command.parent === null ? command.name() : `${wholeName(command.parent)} ${command.name()}`;
