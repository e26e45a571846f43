/** The input of a run that is started: JSON whose strings may hold `{{name}}` of a few names. */
import { PolyphonyError } from '../core/errors.ts';
import { compileTemplate, listReferences } from '../language/template.ts';

type Values = Readonly<Record<string, unknown>>;

/** @throws invalid-config when a string names something else */
export function inputTemplate(where: string, input: Values, names: readonly string[]): (values: Values) => Values {
  for (const { reference } of listReferences(input)) {
    for (const alternative of reference.alternatives) {
      if (alternative.type === 'literal') continue;
      if (names.includes(alternative.head) && alternative.path.length === 0) continue;
      const known = names.map((name) => `{{${name}}}`).join(', ');
      const message = `${where} refers to {{${alternative.head}}}, which does not exist here: use ${known}.`;
      throw new PolyphonyError('invalid-config', message);
    }
  }
  const template = compileTemplate(input);
  return (values) => template.render((head) => values[head]) as Values;
}
