/**
 * What the message of a refusal says where neither its status nor a code does. Messages repeat words of the caller: names of
 * tools and models, fields, pieces of prompts. So only the beginnings of sentences are compared, with whole phrases that no
 * name can be, and what stands in quotes is removed before.
 */
import type { ErrorMeaning } from './error-meaning.ts';

/** Stands for a quotation. */
const QUOTED = '…';
/** Most characters and sentences of a message that are compared. */
const MAX_CHARACTERS = 2000;
const MAX_SENTENCES = 12;

/** What libraries and routers put before the sentence of the server. */
const WRAPPER =
  /^(?:<\d{3}>|error code: \d{3} -|http \d{3}:|\[\d{3}\]:?|[\w.]{0,60}(?:error|exception)\b ?(?:\(\d{3}\))? ?[:-]|internalerror\.algo\.\w{1,40}:|input validation error:|malformed input request:|the model returned the following errors?:|error:) */;
const MAX_WRAPPERS = 4;

const CONTEXT = [
  /^(?:this|the|our|your) (?:…|\S{1,80} )?(?:model|endpoint)(?:'s)? .{0,40}?max(?:imum)? (?:context|prompt|input|sequence) (?:length|size|window)/,
  /^(?:your |the |this )?(?:prompt|input|request|messages?|conversation|context)(?: text| tokens| length| size)?(?: is| are| was|:)? too (?:long|large)\b/,
  /^(?:your |the )?prompt contains \d+ tokens\b.{0,60}too large for model/,
  /^(?:the )?total (?:(?:message )?token )?(?:length|number|tokens?)\b.{0,60}(?:too long|exceeds?)\b/,
  /^(?:your |the |requested |number of |combined ){0,3}(?:input|prompt|context|messages?|request)(?: messages?)? ?(?:token count|tokens?|length|window|size)\b.{0,80}?\bexceed(?:s|ed)?\b/,
  /^(?:your |the |this )?(?:input|prompt|request)(?: \(\d+ tokens\))? exceed(?:s|ed) (?:the |this |its )?(?:available |maximum |max |model'?s? )*(?:context|token)\b/,
  /^(?:the )?number of (?:input |prompt )?tokens\b.{0,60}\bexceed/,
  /^requested tokens\b.{0,40}\bexceed/,
  /^unable to submit request because the input token count\b/,
  /^(?:the )?(?:\w{1,20} )?(?:prompt|input)(?: \(.{1,40}?\))? is longer than the (?:maximum )?model/,
  /^(?:please )?reduce the length of (?:the|your) (?:messages?|prompt|input)\b/,
  /^too many (?:input |prompt |total )?tokens\b/,
  /^(?:the )?prompt has too many tokens\b/,
  /^range of input length should be\b/,
  /^(?:…|inputs) (?:tokens \+ (?:…|max_new_tokens) must be <=|must have less than \d+ tokens)/,
  /^(?:the number of )?tokens to keep from the initial prompt\b/,
  /^trying to keep the first \d+ tokens when context\b/,
  /^(?:the )?(?:maximum )?context (?:length|window|size) (?:of \d+ (?:tokens )?)?(?:is |was )?exceeded\b/,
];

const POLICY = [
  /^(?:your|the|this) (?:request|prompt|input|image|response|content|message)s?\b.{0,40}\b(?:was|were|has been|is|may have been) (?:rejected|blocked|flagged|filtered|refused)\b.{0,80}\b(?:safety|polic(?:y|ies)|content|moderation|filters?|sensitive|triggering|risk|for …)/,
  /^(?:your|the) (?:input|request|prompt|output|content|response|image)(?: or (?:output|response))? (?:was|were) flagged\b/,
  /^invalid prompt: your prompt was flagged\b/,
  /^(?:…|\S{1,120}) requires moderation on\b/,
  /^(?:the )?(?:output|input|response|prompt|request) (?:was )?blocked by (?:our )?content\b/,
  /^(?:input|output)(?: (?:text|image|video|audio))?(?: data)? may contain (?:inappropriate|sensitive) content\b/,
  /^(?:the |this )?prompt contains (?:sensitive|prohibited) (?:words|content)\b/,
  /^content (?:exists risk|violates (?:our )?(?:usage|content) (?:guidelines|polic))/,
  /^(?:one or more prompts contains filtered words|nsfw content (?:was )?detected)\b/,
];

const SPENT = [
  /^(?:your )?credit balance is too low\b/,
  /^you (?:have )?reached your specified api usage limits\b/,
  /^(?:you have )?insufficient (?:account )?(?:balance|credits?|funds|quota)\b/,
  /^you (?:have )?exceeded your current quota\b/,
  /^budget has been exceeded\b/,
  /^access denied, please make sure your account is in good standing\b/,
];

const KEY = [
  /^(?:the )?(?:provided )?api key (?:is )?(?:not valid|invalid|not found|expired|missing|incorrect)\b/,
  /^(?:invalid|incorrect|missing|expired|no|wrong) api (?:key|token)(?![\w-])|^invalid x-api-key$/,
  /^(?:the |your )?api key (?:has )?expired\b/,
  /^your api key was reported as leaked\b/,
  /^you didn't provide an api key\b/,
  /^authentication (?:failed|fails|error)\b/,
  /^(?:this|your) (?:account|organi[sz]ation)\b.{0,40} (?:has been|is|was) (?:deactivated|suspended|disabled)\b/,
  /^the security token included in the request is (?:invalid|expired)\b/,
  /^unauthori[sz]ed\.?$/,
];

const MODEL = [
  /^(?:the )?(?:requested |provided |specified )?(?:model|engine|deployment)\b(?: (?:…|\S{1,160}))? (?:not found|does not exist|doesn't exist|not exist|is not available|is no longer (?:available|supported)|has been (?:deprecated|decommissioned|retired))/,
  /^(?:model not found|unknown model|invalid model|no such model)(?::| name\b| id\b| …|$)/,
  /^(?:…|\S{1,160}) is not a valid model\b/,
  /^no endpoints found for\b/,
  /^the provided model identifier is invalid\b/,
  /^(?:the )?model (?:id|arn)\b.{0,160}\binvalid\b/,
  /^this model is marked by provider as legacy\b/,
  /^this model version has reached the end of its life\b/,
  /^access to the model is not allowed\b/,
  /^invocation of model id \S{1,160} with on-demand throughput isn't supported\b/,
  /^you (?:don't|do not) have access to (?:the |this )?model\b/,
  /^(?:the |your )?(?:project|organi[sz]ation|team|account|key|user)(?: (?:…|\S{1,160}))? (?:does not have|has no|doesn't have) access to (?:the )?model\b/,
  /^you are not allowed to \w+(?: \w+)? from this model\b/,
  /^(?:this |the )?(?:api )?key (?:may not use|is not allowed to (?:use|access)|not allowed to access) (?:the )?model\b/,
  /^your organi[sz]ation must be verified to use the model\b/,
];

const UNSUPPORTED = [
  /^unsupported (?:parameter|value|feature|modality|operation)\b/,
  /^(?:this|the|that|requested) (?:…|model|endpoint|\S{1,120} model)(?: (?:…|\S{1,120}))? (?:does not|doesn't) support\b/,
  /^(?:…|\S{1,160}) (?:does not|doesn't) support (?:tools?|thinking|chat|images?|embeddings?|streaming|function calling|tool use|insert)\b/,
  /^.{0,80}?\b(?:is|are) not supported (?:with|by|for|on|in) (?:this|the|your)\b/,
  /^user location is not supported\b/,
  /^(?:function calling|developer instruction|image input modality|audio input modality|tool use) is not enabled for\b/,
];

const OVERLOADED = [
  /^(?:the |that |this |our )?(?:model|engine|server|servers|service|system)(?: (?:…|\S{1,160}))? (?:is|are) (?:currently |temporarily )?(?:overloaded|unavailable|at capacity|busy)\b/,
  /^overloaded[.!]?$|^no (?:healthy|available) (?:upstream|instances?)\b|^service(?: is)?(?: temporarily)? unavailable\b/,
];

const TOO_LARGE = [/^request too large for\b/];

const RATE = [
  /^rate limit (?:reached|exceeded|hit)\b/,
  /^too many requests\b/,
  /^(?:request|requests) (?:was|were) throttled\b/,
];

const FORBIDDEN = [/^you have insufficient permissions for this operation\b/, /^missing scopes\b/];

const SENTENCES: Readonly<Partial<Record<ErrorMeaning, readonly RegExp[]>>> = {
  context: CONTEXT,
  policy: POLICY,
  spent: SPENT,
  key: KEY,
  model: MODEL,
  unsupported: UNSUPPORTED,
  overloaded: OVERLOADED,
  'too-large': TOO_LARGE,
  rate: RATE,
  forbidden: FORBIDDEN,
};

/** The first of the meanings that a sentence of the message states, in the order in which they are given. */
export function meaningOfSentences(message: string, among: readonly ErrorMeaning[]): ErrorMeaning | undefined {
  const sentences = sentencesOf(message);
  return among.find((meaning) =>
    SENTENCES[meaning]?.some((pattern) => sentences.some((sentence) => pattern.test(sentence))),
  );
}

/**
 * True for a limit that this one request is above, however long one waits: `Limit 30000, Requested 37313`. A request that only
 * has to wait says how much is used, and asks for less than the limit.
 */
export function isAboveLimit(message: string): boolean {
  const [first = ''] = sentencesOf(message);
  const [, limit, requested] =
    /^.{0,400}?\blimit:? ?([\d,]{1,20})\b.{0,40}?\brequested:? ?(?:about )?([\d,]{1,20})\b/.exec(first) ?? [];
  return requested !== undefined && Number(requested.replaceAll(',', '')) > Number(limit?.replaceAll(',', ''));
}

/** The sentences of a message in lower case, without quotations and wrappers. */
function sentencesOf(message: string): readonly string[] {
  return withoutQuotations(message.slice(0, MAX_CHARACTERS))
    .replaceAll(/[’‘]/g, "'")
    .toLowerCase()
    .split(/[.!?;]\s+|\n/, MAX_SENTENCES)
    .map(unwrapped);
}

function unwrapped(sentence: string): string {
  let rest = sentence.trim();
  for (let count = 0; count < MAX_WRAPPERS; count += 1) {
    const found = WRAPPER.exec(rest);
    if (found === null) break;
    rest = rest.slice(found[0].length);
  }
  return rest;
}

const CLOSING: Readonly<Record<string, string>> = { "'": "'", '"': '"', '`': '`', '“': '”', '«': '»' };
const isLetter = (character: string | undefined): boolean =>
  character !== undefined && character !== '' && /[\p{L}\p{N}]/u.test(character);

/**
 * Each quotation as one sign. An apostrophe within a word opens none, and a quotation without an end goes on to the end of
 * the message: then it was cut off.
 */
export function withoutQuotations(text: string): string {
  const kept: string[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] ?? '';
    const closing = CLOSING[character];
    if (closing === undefined || (character === "'" && isLetter(text[at - 1]))) {
      kept.push(character);
      continue;
    }
    kept.push(QUOTED);
    at = endOfQuotation(text, at + 1, closing);
  }
  return kept.join('');
}

/** Where it is closed: at the sign, unless it is escaped or, for an apostrophe, within a word. */
function endOfQuotation(text: string, start: number, closing: string): number {
  for (let at = start; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === closing && !(closing === "'" && isLetter(text[at + 1]))) return at;
  }
  return text.length;
}
