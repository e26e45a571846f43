/** A conversation that goes on from message to message: the newest ones word for word, those before them as a summary. */
import { compute, gte, llm, t, value, workflow } from 'polyphony';

const { append, at, count, plus } = compute;

const nothing: readonly { readonly asked: string | null; readonly said: string }[] = [];

export default workflow({
  id: 'chat-with-memory',
  goal: 'Answer the messages of a person one after the other, and remember the conversation in a summary',
  input: { user: 'string', messages: 'string[]' },
})
  .repeat(
    'turns',
    {
      start: (c) => ({ user: c.input.user, messages: c.input.messages, next: 0, said: nothing }),
      until: (state) => gte(state.next, count(state.messages)),
      max: 20,
    },
    (round) =>
      round
        .node('current', value, (c) => ({ in: { message: at(c.input.messages, c.input.next) } }))
        .node('answer', llm, (c) => ({
          in: { system: 'You are a friendly assistant. Answer in one sentence.', prompt: t`${c.current.message}` },
          // The last question and its answer stay as they are, everything before them is summed up.
          thread: { key: t`memory of ${c.input.user}`, last: 2, summarise: true },
        }))
        .output((c) => ({
          user: c.input.user,
          messages: c.input.messages,
          next: plus(c.input.next, 1),
          said: append(c.input.said, { asked: c.current.message, said: c.answer.text }),
        })),
  )
  .output((c) => ({ said: c.turns.said }));
