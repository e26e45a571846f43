/** What an answer states besides its text: stop sequences, searches, sources of documents, files that tools made. */
import { collect, replay } from 'polyphony/kit';
import { expect, test } from 'vitest';
import { chat } from './attempts.ts';
import { CHAT_WIRES, type ChatWire, said } from './chat-wires.ts';

type Json = Record<string, unknown>;
const wire = (name: string): ChatWire => CHAT_WIRES.find((known) => known.name === name) as ChatWire;

async function heard(name: string, answer: Json, stop?: readonly string[]) {
  const { response } = await said(wire(name), chat('Hi', stop === undefined ? {} : { stop }), undefined, answer);
  const again = await collect(replay(response), { trace: { attempts: [] }, signal: new AbortController().signal });
  // Whatever is kept survives a cache.
  expect({ ...again, costNanoUsd: null }).toEqual({ ...response, costNanoUsd: null });
  return response;
}

const usage = { prompt_tokens: 1, completion_tokens: 1 };
const message = (content: Json[], more: Json = {}): Json => ({
  type: 'message',
  content,
  stop_reason: 'end_turn',
  usage: { input_tokens: 1, output_tokens: 1 },
  ...more,
});
const candidate = (more: Json): Json => ({
  candidates: [{ content: { parts: [{ text: 'ok' }] }, finishReason: 'STOP', ...more }],
  usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 1 },
});

test('the stop sequence that ended the answer', async () => {
  const text = [{ type: 'text', text: 'ok' }];
  const stopped = message(text, { stop_reason: 'stop_sequence', stop_sequence: '###' });
  expect((await heard('anthropic', stopped)).stopSequence).toBe('###');
  expect((await heard('anthropic', message(text, { stop_sequence: null }))).stopSequence).toBeUndefined();
  const choice = (more: Json): Json => ({
    choices: [{ message: { content: 'ok' }, finish_reason: 'stop', ...more }],
    usage,
  });
  expect((await heard('chat completions', choice({ stop_reason: '###' }), ['###'])).stopSequence).toBe('###');
  expect((await heard('chat completions', choice({ matched_stop: '###' }), ['###'])).stopSequence).toBe('###');
  expect((await heard('chat completions', choice({ stop_reason: 'end_turn' }), ['###'])).stopSequence).toBeUndefined();
});

test('queries, suggestions and pages of a search', async () => {
  const { search } = await heard(
    'google',
    candidate({
      groundingMetadata: { webSearchQueries: ['ferry times'], searchEntryPoint: { renderedContent: '<b>ferry</b>' } },
      urlContextMetadata: {
        urlMetadata: [{ retrievedUrl: 'https://a.example', urlRetrievalStatus: 'URL_RETRIEVAL_STATUS_ERROR' }],
      },
    }),
  );
  expect(search).toEqual({
    queries: ['ferry times'],
    suggestions: '<b>ferry</b>',
    pages: [{ url: 'https://a.example', status: 'URL_RETRIEVAL_STATUS_ERROR' }],
  });
  expect((await heard('google', candidate({ groundingMetadata: {} }))).search).toBeUndefined();
});

test('the documents, pages and files that citations are of', async () => {
  const page = { type: 'page_location', cited_text: 'x', document_index: 1, start_page_number: 2, end_page_number: 3 };
  const cited = await heard('anthropic', message([{ type: 'text', text: 'ok', citations: [page] }]));
  expect(cited.citations).toEqual([{ text: 'x', document: 1, startPage: 2, endPage: 3 }]);
  const location = { documentPage: { documentIndex: 1, start: 2, end: 3 } };
  const block = { citationsContent: { content: [{ text: 'ok' }], citations: [{ title: 'T', location }] } };
  const converse = { stopReason: 'end_turn', usage: { inputTokens: 1, outputTokens: 1 } };
  const bedrock = await heard('bedrock', { output: { message: { content: [block] } }, ...converse });
  expect(bedrock.citations).toEqual([{ title: 'T', document: 1, startPage: 2, endPage: 3 }]);
  const sources = ['one', 'two'].map((id) => ({ type: 'document', id, document: { id, title: id } }));
  const cohere = await heard('cohere', {
    message: { content: [{ type: 'text', text: 'ok' }], citations: [{ start: 0, end: 2, text: 'ok', sources }] },
    finish_reason: 'COMPLETE',
    usage: { tokens: { input_tokens: 1, output_tokens: 1 } },
  });
  expect(cohere.citations?.map(({ fileId }) => fileId)).toEqual(['one', 'two']);
});

test('sources of tools that the server ran', async () => {
  const executed_tools = [{ type: 'search', search_results: { results: [{ url: 'https://a.example', title: 'A' }] } }];
  const answer = { choices: [{ message: { content: 'ok', executed_tools }, finish_reason: 'stop' }], usage };
  expect((await heard('chat completions', answer)).citations).toEqual([{ url: 'https://a.example', title: 'A' }]);
});

test('files that code of a provider made are kept by their ids, and are sent to nobody', async () => {
  const cited = { type: 'container_file_citation', container_id: 'box', file_id: 'made', filename: 'a.csv' };
  const answer: Json = {
    status: 'completed',
    output: [{ type: 'message', content: [{ type: 'output_text', text: 'ok', annotations: [cited, cited] }] }],
    usage: { input_tokens: 1, output_tokens: 1 },
  };
  const responses = await heard('responses', answer);
  expect(responses.citations?.[0]).toMatchObject({ fileId: 'made', containerId: 'box' });
  const files = responses.content.filter(({ type }) => type === 'file');
  expect(files).toMatchObject([{ source: { url: 'made' }, name: 'a.csv', raw: { container_id: 'box' } }]);
  const result = { type: 'code_execution_result', content: [{ type: 'code_execution_output', file_id: 'made' }] };
  const ran = { type: 'code_execution_tool_result', tool_use_id: 's', content: result };
  const anthropic = await heard('anthropic', message([ran, { type: 'text', text: 'ok' }]));
  expect(anthropic.content.map(({ type }) => type)).toEqual(['reasoning', 'file', 'text']);

  for (const { content } of [responses, anthropic]) {
    for (const other of CHAT_WIRES) {
      const next = chat([
        { role: 'user', content: 'Hi' },
        { role: 'assistant', content: content.filter(({ type }) => type !== 'reasoning') },
        { role: 'user', content: 'And?' },
      ]);
      expect((await said(other, next)).text).not.toContain('made');
    }
  }
});
