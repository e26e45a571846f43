/** What a provider may do for an answer beyond reading the request and writing: searches and other tools of its own. */
import type { Message, ModelRequest, Part } from '../../core/model/model.ts';
import type { Provider } from '../../core/model/provider.ts';

/** More searches than any provider makes for one answer, for a request that sets no bound. */
const MOST_SEARCHES = 1000;

/** Fields that name what is kept at the provider, such as a stored prompt or cached content, which may hold tools as well. */
const NAMES_WHAT_IS_KEPT = /prompt|cach|previous|conversation|thread|session|agent|skill|container/i;

const NO_OPTIONS: readonly string[] = [];

/** The most searches that an answer to this request can have; 0 where none were asked for. */
export function mostSearches({ id, searches }: Provider, request: ModelRequest, model: string): number {
  const most = searches?.most(request, model) ?? 0;
  if (most > 0) return Math.min(MOST_SEARCHES, Math.ceil(most));
  const options = optionsFor(request, id);
  // Where nobody says what the options of this provider ask for, any of them may ask for searches.
  const mayAsk = searches === undefined ? options.length > 0 || asksForTools(request) : options.some(namesWhatIsKept);
  return mayAsk ? MOST_SEARCHES : 0;
}

const namesWhatIsKept = (name: string): boolean => NAMES_WHAT_IS_KEPT.test(name);

const asksForTools = (request: ModelRequest): boolean =>
  request.operation === 'chat' && request.providerTools !== undefined && request.providerTools.length > 0;

/** The names of the fields that the request gives for the body of this provider. */
function optionsFor({ providerOptions }: ModelRequest, provider: string): readonly string[] {
  const options = providerOptions?.[provider];
  return typeof options === 'object' && options !== null ? Object.keys(options) : NO_OPTIONS;
}

/** Models that search or run tools without being asked, by what their names say. */
const WORKS_BY_ITSELF = /sonar|compound|search|online|ground|agent|assistant|perplexity|deep-?research/i;

/** True if the model is run once, on this request: it has no tools of the provider, and no options that only the provider understands. */
export function isRunOnce({ id }: Provider, request: ModelRequest, model: string): boolean {
  return optionsFor(request, id).length === 0 && !asksForTools(request) && !WORKS_BY_ITSELF.test(`${id}/${model}`);
}

/** True if the request consists of texts that are all in it: no media, whose tokens nobody knows, and nothing kept at the provider. */
export function isAllText(request: ModelRequest): boolean {
  switch (request.operation) {
    case 'chat':
      return request.messages.every(isText);
    case 'moderate':
      return request.input.every(isTextPart);
    case 'image':
      return request.image === undefined;
    default:
      return true;
  }
}

const isText = ({ content }: Message): boolean => typeof content === 'string' || content.every(isTextPart);

/** Raw blocks and items of a provider may be no more than the id of what it keeps. */
function isTextPart(part: Part): boolean {
  switch (part.type) {
    case 'text':
      return true;
    case 'reasoning':
      return part.raw === undefined && part.redacted === undefined && part.signature === undefined;
    case 'tool-call':
      return part.item === undefined && part.signature === undefined;
    case 'tool-result':
      return typeof part.content === 'string' || part.content.every(isTextPart);
    default:
      return false;
  }
}
