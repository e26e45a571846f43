/** polyphony runs answer: answers the question of a suspended run, and continues the run. */
import { defined } from '../../../core/defined.ts';
import type { ExecutionEngine, HumanQuestion } from '../../../core/run/engine.ts';
import { safeJson } from '../../../drawing/plain-text.ts';
import type { Address } from '../../../runs/stored/given-answer.ts';
import { defineCommand, examples } from '../../command.ts';
import { EXIT } from '../../input/exit-code.ts';
import { assertOneFormat, type FollowOptions, withFollowOptions } from '../../input/follow-options.ts';
import { itemIndex } from '../../input/option-values.ts';

type Options = FollowOptions & { readonly resume: boolean; readonly item?: number };

export const command = defineCommand<Options, [run: string, node: string, answer: string]>({
  define: (answer) =>
    withFollowOptions(answer)
      .argument('<run>', 'the id of the run')
      .argument('<node>', 'the node that asks, or the id of its question, such as publish[1] or outer/review')
      .argument('<answer>', 'one of the choices, a text, or a value as JSON')
      .option('--item <n>', 'the item that asks, counted from 0, if several items of the node do', itemIndex)
      .option('--no-resume', 'only record the answer')
      .addHelpText(
        'after',
        examples(
          'polyphony runs answer run_4f1c… review yes',
          'polyphony runs answer run_4f1c… name "Ada" --no-resume',
          'polyphony runs answer run_4f1c… publish no --item 1',
          'polyphony runs answer run_4f1c… chapters[2]/review yes',
          `polyphony runs answer run_4f1c… review '{"approved": true, "answer": "with thanks"}'`,
        ),
      ),
  handle: async (terminal, options, runId, nodeId, answer) => {
    assertOneFormat(options);
    const { withPolyphony } = await import('../../process/session.ts');
    const { whenFree } = await import('../../process/wait-for-lease.ts');
    return withPolyphony(options, terminal, async (session) => {
      const { answerValue } = await import('../../input/answer-value.ts');
      const { engine } = session.polyphony;
      const place = defined({ item: options.item });
      const given = answerValue(answer, await questionOf(engine, { runId, nodeId, ...place }));
      await whenFree(runId, terminal, undefined, () => engine.answer(runId, nodeId, given, place));
      if (options.resume) {
        const { resumeRun } = await import('../../process/resume-run.ts');
        const { rootOf } = await import('../../../runs/journal/root.ts');
        // A nested run goes on with the run around it.
        return resumeRun(session, await rootOf(session.polyphony.stores.journal, runId), options, terminal);
      }
      const { quoted } = await import('../../input/command-name.ts');
      const { thisCommandWith } = await import('../../process/command-hint.ts');
      if (options.json) terminal.print(safeJson({ runId, nodeId, ...place, answered: true }, 2));
      else terminal.say(`answered; continue with: ${thisCommandWith(options)} runs resume ${quoted(runId)}`);
      return EXIT.done;
    });
  },
});

/** What is asked, because it decides how the answer is read. Undefined: the engine says why nothing is. */
async function questionOf(engine: ExecutionEngine, address: Address): Promise<HumanQuestion | undefined> {
  const { askedAt, assertItemNamed } = await import('../../../runs/stored/given-answer.ts');
  const result = await engine.inspect(address.runId);
  assertItemNamed(result, address);
  return askedAt(result, address)[0];
}
