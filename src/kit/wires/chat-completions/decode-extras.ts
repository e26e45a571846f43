/** Further parts of an answer: log probabilities, citations, images. */
import type { Citation, TokenLogprob } from '../../../core/model/model.ts';
import { asList, asNumber, asRecord, asText, defined, type JsonRecord } from '../../json/json-shape.ts';

/** Both forms: `{ content: [{ token, logprob, top_logprobs }] }` and the older `{ tokens, token_logprobs, top_logprobs }`. */
export function logprobsOf(value: unknown): readonly TokenLogprob[] {
  const given = asRecord(value);
  if (given === undefined) return [];
  const content = asList(given.content) ?? asList(given.refusal);
  if (content !== undefined) return content.map(tokenOf).filter((token) => token !== undefined);
  const numbers = asList(given.token_logprobs) ?? [];
  const tops = asList(given.top_logprobs) ?? [];
  return (asList(given.tokens) ?? []).flatMap((token, index) => {
    const logprob = asNumber(numbers[index]);
    if (typeof token !== 'string' || logprob === undefined) return [];
    const top = Object.entries(asRecord(tops[index]) ?? {}).flatMap(([name, chance]) => alternative(name, chance));
    return [{ token, logprob, ...(top.length === 0 ? {} : { top }) }];
  });
}

function tokenOf(value: unknown): TokenLogprob | undefined {
  const given = asRecord(value);
  const token = asText(given?.token);
  const logprob = asNumber(given?.logprob);
  if (token === undefined || logprob === undefined) return undefined;
  const top = (asList(given?.top_logprobs) ?? []).flatMap((item) => {
    const fields = asRecord(item) ?? {};
    return alternative(asText(fields.token), fields.logprob);
  });
  return { token, logprob, ...(top.length === 0 ? {} : { top }) };
}

function alternative(token: string | undefined, value: unknown): { token: string; logprob: number }[] {
  const logprob = asNumber(value);
  return token === undefined || logprob === undefined ? [] : [{ token, logprob }];
}

/** Sources that tools of the server found, in `executed_tools` of a message. */
export function toolSources(message: JsonRecord): readonly Citation[] {
  return (asList(message.executed_tools) ?? []).flatMap((item) => {
    const found = asRecord(item)?.search_results;
    return citationsOf({ search_results: asList(found) ?? asList(asRecord(found)?.results) ?? [] });
  });
}

/** `annotations` of a message; `search_results` or bare `citations` of a whole answer. */
export function citationsOf(body: JsonRecord): readonly Citation[] {
  const listed = asList(body.annotations) ?? asList(body.search_results) ?? asList(body.citations) ?? [];
  return listed.flatMap((item) => {
    if (typeof item === 'string') return [{ url: item }];
    const given = asRecord(item);
    const fields =
      asRecord(given?.url_citation) ??
      asRecord(given?.file_citation) ??
      asRecord(given?.container_file_citation) ??
      given;
    if (fields === undefined) return [];
    const citation = defined({
      url: asText(fields.url),
      title: asText(fields.title) ?? asText(fields.filename),
      text: asText(fields.content) ?? asText(fields.snippet),
      start: asNumber(fields.start_index),
      end: asNumber(fields.end_index),
      fileId: asText(fields.file_id),
      containerId: asText(fields.container_id),
    });
    return Object.keys(citation).length === 0 ? [] : [citation];
  });
}
