/** polyphony workflows: lists the registered workflows, or prints the plan of one. */
import type { Plan } from '../../core/plan/plan.ts';
import { oneLine, safeJson } from '../../drawing/plain-text.ts';
import { defineCommand, examples } from '../command.ts';
import { EXIT } from '../input/exit-code.ts';

export const command = defineCommand<object, [id: string | undefined]>({
  define: (workflows) =>
    workflows
      .description(
        'List the workflows of the config, of plugins and of the package, which run as workflow:<id> and which plans may use. ' +
          'With an id, print its plan.',
      )
      .argument('[id]', 'a workflow, with or without "workflow:", to print its plan')
      .addHelpText(
        'after',
        examples(
          'polyphony workflows',
          'polyphony workflows digest > my.plan.json      a copy to change',
          "polyphony workflows --json | jq -r '.[].id'",
        ),
      ),
  handle: async (terminal, options, id) => {
    const { withStoreToRead } = await import('../process/session.ts');
    const { workflowNamed } = await import('../input/run-target.ts');
    return withStoreToRead(options, terminal, async ({ polyphony, broughtBy }) => {
      if (id !== undefined) {
        terminal.print(safeJson(workflowNamed(id.replace(/^workflow:/, ''), polyphony), 2));
        return EXIT.done;
      }
      const plans = [...polyphony.catalogue().workflows].sort(([a], [b]) => (a < b ? -1 : 1));
      const listed = plans.map(([name, plan]) => entryOf(name, plan, broughtBy.get(name)));
      if (options.json) terminal.print(safeJson(listed, 2));
      else {
        const { tableText } = await import('../screen/result-text.ts');
        const rows = listed.map(({ id: name, from, input, goal }) => [name, from, input.join(' '), goal].map(oneLine));
        terminal.print(tableText([['workflow', 'from', 'input', 'goal'], ...rows], terminal.paint));
      }
      return EXIT.done;
    });
  },
});

interface Entry {
  readonly id: string;
  /** `config`, `plugin <name>` or `package`. */
  readonly from: string;
  /** The names of its input. */
  readonly input: readonly string[];
  readonly goal: string;
}

function entryOf(id: string, { input = {}, goal = '' }: Plan, from = 'config'): Entry {
  const fields = input.type === 'object' && isRecord(input.properties) ? input.properties : input;
  return { id, from, input: Object.keys(fields), goal };
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
