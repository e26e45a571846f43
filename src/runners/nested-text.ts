/** The text of a nested run, as that of the node that runs it. */
import type { NodeCall, RunEvent } from '../core/run/engine.ts';
import { questionId } from '../core/run/question-id.ts';

/** Characters that are said again for one nested run. Beyond them only the output has what was void with a restart. */
const MOST_AGAIN = 1_048_576;

/**
 * Emits the text of every node of the nested run. Where one of them starts again, all that the node around it has shown is void, so
 * that what the others said is said again behind the restart.
 */
export function nestedText(emit: NodeCall['emit']): (event: RunEvent) => void {
  const said = new Map<string, string>();
  let again = 0;
  return (event) => {
    if (event.type !== 'node-delta') return;
    const { text, restart } = event;
    const place = questionId(event);
    if (restart !== true) {
      said.set(place, (said.get(place) ?? '') + text);
      emit(text);
      return;
    }
    emit(text, { restart });
    said.delete(place);
    for (const other of said.values()) {
      again += other.length;
      if (again > MOST_AGAIN) return;
      emit(other);
    }
  };
}
