/** Looks passages up, judges them, and asks with other words while none of them answers the question. */
import { coalesce, compute, hasItems, isTrue, llm, not, t, tool, value, workflow } from 'polyphony';

const { append, collect, filter, holds, zip } = compute;

const search = tool<
  { readonly query: string; readonly pattern: string; readonly top?: number },
  { readonly hits: readonly { readonly text: string; readonly cite: string }[] }
>('search');

const nothing: readonly { readonly text: string; readonly cite: string }[] = [];

export default workflow({
  id: 'self-correcting-retrieval',
  goal: 'Answer a question from files, and search with other words while no passage answers it',
  input: { question: 'string', pattern: 'string' },
})
  .repeat(
    'looked',
    {
      start: (c) => ({
        question: c.input.question,
        pattern: c.input.pattern,
        query: c.input.question,
        passages: nothing,
        enough: false,
        asked: [] as readonly string[],
      }),
      until: (state) => isTrue(state.enough),
      max: 3,
    },
    (round) =>
      round
        .node('found', search, (c) => ({ in: { query: c.input.query, pattern: c.input.pattern, top: 3 } }))
        .map(
          'judged',
          llm,
          (c) => c.found.hits,
          (hit, c) => ({
            in: {
              system: 'You judge passages. Say whether the passage answers the question of the reader.',
              prompt: t`Question: ${c.input.question}\n\nPassage ${hit.cite}:\n${hit.text}`,
            },
            out: { answers: 'boolean' },
            model: { tier: 'fast' },
            limits: { concurrency: 4 },
          }),
        )
        .node('kept', value, (c) => ({
          in: {
            passages: collect(
              filter(zip({ hit: c.found.hits, judged: c.judged }), (one) => isTrue(one.judged.answers)),
              (one) => one.hit,
            ),
          },
        }))
        .node('reworded', llm, (c) => ({
          when: not(hasItems(c.kept.passages)),
          in: { prompt: t`Nothing was found with "${c.input.query}". Write another search for: ${c.input.question}` },
          out: { query: 'string' },
        }))
        .output((c) => ({
          question: c.input.question,
          pattern: c.input.pattern,
          query: coalesce(c.reworded.query, c.input.query),
          passages: c.kept.passages,
          enough: holds(hasItems(c.kept.passages)),
          asked: append(c.input.asked, c.input.query),
        })),
  )
  .node('answer', llm, (c) => ({
    when: isTrue(c.looked.enough),
    in: { prompt: t`Answer from the passages alone: ${c.input.question}\n\nPassages:\n${c.looked.passages}` },
  }))
  .output((c) => ({
    answer: coalesce(c.answer.text, 'The files do not say.'),
    sources: collect(c.looked.passages, (passage) => passage.cite),
    asked: c.looked.asked,
  }));
