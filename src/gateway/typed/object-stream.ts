/** The events of an answer with a schema: also the object while it grows, and the checked object before the end. */
import type { ObjectEvent } from '../../core/model/generate.ts';
import type { Call, ModelEvent } from '../../core/model/model.ts';
import { collect } from '../../core/model/response.ts';
import { partialJson } from '../../kit/json/partial-json.ts';
import { objectIn, withText } from './answer.ts';
import { type Rate, ratedForm } from './rated-form.ts';

type Event = ModelEvent | ObjectEvent<unknown>;

/** @throws invalid-output after all other events when the answer does not fit */
export async function* objectStream(
  events: AsyncIterable<ModelEvent>,
  schema: object,
  call: Pick<Call, 'trace' | 'signal'>,
  rate: Rate,
): AsyncGenerator<Event> {
  const seen: ModelEvent[] = [];
  const partial = partialJson();
  let end: ModelEvent | undefined;
  for await (const event of events) {
    seen.push(event);
    // Held back until the object is checked: who sees it takes the answer for good.
    if (event.type === 'finish') {
      end = event;
      continue;
    }
    yield event;
    if (event.type === 'restart') partial.reset();
    else if (event.type === 'text-delta') {
      const object = partial.add(event.text);
      if (object !== undefined) yield { type: 'partial-object', object };
    }
  }
  const response = withText(await collect(replayed(seen), call));
  const object = await ratedForm(response, rate, () => objectIn(schema, response));
  if (object !== undefined) yield { type: 'object', object };
  if (end !== undefined) yield end;
}

async function* replayed(events: readonly ModelEvent[]): AsyncGenerator<ModelEvent> {
  yield* events;
}
