/** polyphony config diff: what differs between two configs, and whether a running process can take it over. */
import { oneLine, safeJson } from '../../../drawing/plain-text.ts';
import { defineCommand, examples } from '../../command.ts';
import { EXIT, UsageError } from '../../input/exit-code.ts';

interface Difference {
  readonly field: string;
  readonly before: unknown;
  readonly after: unknown;
  /** It is fixed when a process starts. */
  readonly needsRestart: boolean;
}

/** What `polyphony schedule` reads when it starts. */
const OF_SCHEDULE: readonly string[] = ['schedules', 'triggers'];

export const command = defineCommand<object, [before: string, after: string | undefined]>({
  define: (diff) =>
    diff
      .argument('<before>', 'a config')
      .argument('[after]', 'the config to compare it with (default: that of --config, else the one in this folder)')
      .addHelpText('after', examples('polyphony config diff older.yaml', 'polyphony config diff a.yaml b.yaml --json')),
  handle: async (terminal, options, before, after) => {
    const { loadConfig } = await import('../../input/config-file.ts');
    const { fixedChanges } = await import('../../../composition/config/checked-config.ts');
    const { tableText } = await import('../../screen/result-text.ts');
    const one = await loadConfig(process.cwd(), before);
    const other = await loadConfig(process.cwd(), after ?? options.config);
    if (other.path === undefined) throw new UsageError('There is no config in this folder to compare with; name one');
    const fixed = [...fixedChanges(one.config, other.config), ...OF_SCHEDULE];
    const differences = differencesOf(one.config, other.config, fixed);
    if (options.json) terminal.print(safeJson(differences, 2));
    else if (differences.length === 0) terminal.print('both say the same');
    else {
      const rows = differences.map(({ field, before: was, after: is, needsRestart }) => [
        oneLine(field),
        shown(was),
        shown(is),
        needsRestart ? 'after a restart' : 'at once',
      ]);
      terminal.print(tableText([['field', 'before', 'after', 'in force'], ...rows], terminal.paint));
    }
    return EXIT.done;
  },
});

const LONGEST = 40;

function shown(value: unknown): string {
  if (value === undefined) return '-';
  const text = oneLine(JSON.stringify(value));
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
}

function differencesOf(before: object, after: object, fixed: readonly string[]): readonly Difference[] {
  const was = new Map(leaves(before));
  const is = new Map(leaves(after));
  return [...new Set([...was.keys(), ...is.keys()])]
    .filter((field) => JSON.stringify(was.get(field)) !== JSON.stringify(is.get(field)))
    .sort()
    .map((field) => {
      const needsRestart = fixed.some((name) => field === name || field.startsWith(`${name}.`));
      return { field, before: was.get(field), after: is.get(field), needsRestart };
    });
}

/** Every field that holds no further fields, by its path. A list is one value. */
function leaves(owner: object, path = ''): readonly (readonly [field: string, value: unknown])[] {
  return Object.entries(owner).flatMap(([name, value]: [string, unknown]) => {
    const field = path === '' ? name : `${path}.${name}`;
    const isOwner = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isOwner ? leaves(value, field) : [[field, value] as const];
  });
}
