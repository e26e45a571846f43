/** Scores leads by a look-up and a sum, without a model, and has a note written about the best ones. */
import { coalesce, compute, gt, gte, isTrue, llm, tool, value, workflow } from 'polyphony';

const { at, average, choose, collect, first, fixed, fromJson, join, pick, plus, round, sortBy, text, times } = compute;

interface Lead {
  readonly name: string;
  readonly size: 'large' | 'medium' | 'small';
  readonly visits: number;
  readonly replied: boolean;
}

const readFile = tool<{ readonly path: string }, { readonly text: string }>('read_file');

export default workflow({
  id: 'lead-scoring',
  goal: 'Score leads by look-up and calculation, and write a note about the best ones',
  input: { path: 'string?' },
})
  .node('file', readFile, (c) => ({ in: { path: coalesce(c.input.path, 'examples/material/leads.json') } }))
  .map(
    'scored',
    value,
    (c) => fromJson<readonly Lead[]>(c.file.text),
    (lead) => ({
      in: {
        name: lead.name,
        score: round(
          plus(
            pick(lead.size, { large: 40, medium: 25, small: 10 }),
            times(choose(gt(lead.visits, 20), 20, lead.visits), 2),
            choose(isTrue(lead.replied), 20, 0),
          ),
        ),
      },
    }),
  )
  .node('ranked', value, (c) => ({
    in: {
      leads: sortBy(c.scored, 'score', 'desc'),
      mean: fixed(average(collect(c.scored, (lead) => lead.score)), 1),
    },
  }))
  .node('note', llm, (c) => ({
    in: {
      prompt: text(
        'Summarise the following text in one sentence.\n\nThe best leads are ',
        join(
          collect(first(c.ranked.leads, 2), (lead) => text(lead.name, ' with ', lead.score, ' points')),
          ' and ',
        ),
        '.',
      ),
    },
    model: { tier: choose(gte(at(c.ranked.leads, 0).score, 70), 'premium', 'fast') },
  }))
  .output((c) => ({ leads: c.ranked.leads, mean: c.ranked.mean, note: c.note.text }));
