/** Translates a book chapter by chapter with one glossary; each chapter is corrected until it keeps to the glossary. */
import { compute, hasItems, llm, not, t, tool, workflow } from 'polyphony';

const readFile = tool<{ readonly path: string }, { readonly path: string; readonly text: string }>('read_file');
const split = tool<
  { readonly text: string; readonly source: string; readonly size?: number },
  { readonly pieces: readonly { readonly text: string; readonly heading: string | null }[] }
>('split');
const writeFile = tool<
  { readonly path: string; readonly text: string; readonly overwrite?: boolean },
  { readonly path: string; readonly bytes: number }
>('write_file');

export default workflow({
  id: 'book-translation',
  goal: 'Translate a book chapter by chapter, with one glossary that every chapter keeps to',
  input: { path: 'string', language: 'string' },
})
  .node('book', readFile, (c) => ({ in: { path: c.input.path } }))
  .node('cut', split, (c) => ({ in: { text: c.book.text, source: c.input.path, size: 400 } }))
  .node('glossary', llm, (c) => ({
    in: {
      prompt: t`List the terms of this book with one translation into ${c.input.language} each.\n\n${c.book.text}`,
    },
    out: { terms: 'string[]' },
    model: { tier: 'premium' },
  }))
  .each(
    'chapters',
    (c) => c.cut.pieces,
    { with: (c) => ({ terms: c.glossary.terms, language: c.input.language }), limits: { concurrency: 3 } },
    (chapter, body) =>
      body
        .repeat(
          'rounds',
          {
            start: (c) => ({
              original: chapter.text,
              terms: c.input.terms,
              language: c.input.language,
              text: '',
              wrong: [] as readonly string[],
              rounds: 0,
            }),
            until: (state) => not(hasItems(state.wrong)),
            max: 3,
          },
          (round) =>
            round
              .node('translated', llm, (c) => ({
                in: {
                  prompt: t`Translate into ${c.input.language} with the terms ${c.input.terms}.\nBefore: ${c.input.text}\nWrong: ${c.input.wrong}\n\n${c.input.original}`,
                },
              }))
              .node('checked', llm, (c) => ({
                in: {
                  system:
                    'You are the proof-reader. List the terms of the glossary that the translation does not keep to.',
                  prompt: t`Glossary: ${c.input.terms}\n\nTranslation: ${c.translated.text}`,
                },
                out: { wrong: 'string[]' },
              }))
              .output((c) => ({
                original: c.input.original,
                terms: c.input.terms,
                language: c.input.language,
                text: c.translated.text,
                wrong: c.checked.wrong,
                rounds: compute.plus(c.input.rounds, 1),
              })),
        )
        .output((c) => ({ text: c.rounds.text, wrong: c.rounds.wrong, rounds: c.rounds.rounds })),
  )
  .node('whole', writeFile, (c) => ({
    in: {
      path: 'translation.md',
      text: compute.join(
        compute.collect(c.chapters, (chapter) => chapter.text),
        '\n\n',
      ),
      overwrite: true,
    },
  }))
  .output((c) => ({ path: c.whole.path, terms: c.glossary.terms, chapters: c.chapters }));
