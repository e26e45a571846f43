/** Which jobs an instruction asks for. Reads only instructions, never the material. */
import { fieldsIn } from './fields/asked-fields.ts';
import { opensWithFigure } from './figures/operations.ts';

export type JobType = 'summarise' | 'key-terms' | 'classify' | 'answer' | 'compare' | 'entities' | 'fields' | 'figures';

export interface Intent {
  readonly jobs: readonly JobType[];
  /** A verb that the engine does not support (`translate`), where the instruction contains one. */
  readonly beyond?: string;
}

const PATTERNS: readonly (readonly [JobType, RegExp])[] = [
  [
    'summarise',
    /\bsummar(?:i[sz](?:e|es|ing|ation)|y|ies)\b|\btl;?dr\b|\bcondense\b|\bshorten\b|\b(?:the|its|a) gist\b|\bbullet(?:s| points?)\b|\bstichpunkte?n?\b|\bpoints clés\b|\bpuntos clave\b|\bpunti chiave\b|\bkey (?:points|takeaways|ideas|messages)\b|\bmain (?:points|ideas|message|takeaways)\b|\bmost important (?:points|sentences|facts|things)\b|\bwichtigsten (?:punkte|aussagen)\b|\bin a nutshell\b|\babstract of\b|\bfass\w*\b.*\bzusammen\b|\bzusammenfass\w*|\brésum\w+|\bresum(?:e|ir|en|o|a)\b|\briassum\w+|\bsamenvatt\w+|\bvat\b.*\bsamen\b|要約|まとめて|要点|总结|總結|摘要|概括|요약/iu,
  ],
  [
    'key-terms',
    /\bkey[- ]?(?:terms?|words?|phrases?|concepts?)\b|\b(?:important|main|central) (?:terms|words|phrases|topics|concepts|themes)\b|\b(?:extract|list|find|name|identify|give)\b[^.?!]{0,40}\b(?:topics|tags|themes|terms|concepts)\b|\bschlüssel(?:wörter|begriffe)\b|\bmots[- ]clés\b|\bpalabras clave\b|\bparole chiave\b|\btrefwoorden\b|\bpalavras-chave\b|キーワード|重要語|关键词|關鍵詞|키워드/iu,
  ],
  [
    'compare',
    /\bcompar(?:e|es|ing|ison|isons)\b|\bcontrast\b|\bdifferences? between\b|\bdiffer(?:s|ent)? (?:between|from)\b|\bhow (?:do|does|are)\b[^.?!]{0,80}\bdiffer\b|\bin common\b|\bsimilarit(?:y|ies) between\b|\bvergleich\w*|\bcompare[rz]\b|\bconfronta\b|比較して|比較する|比较|對比|비교/iu,
  ],
  [
    'classify',
    /\bclassif(?:y|ies|ying|ication)\b|\bcategori[sz]e\b|\b(?:which|what) (?:category|label|class|kind of ticket|department)\b|\bsentiment\b|\btriage\b|(?:^|[.!?:,]\s{0,5}|\b(?:and|then|please)\s{1,5})(?:label|tag|rate|route|sort)\b|\b(?:assign|choose|pick|select)\b[^.?!]{0,40}\b(?:label|category|class|department|one of)\b|\bdecide (?:whether|if)\b|\bis (?:this|it|the (?:text|review|message|ticket|email|comment)|(?:[\w-]{1,80}\/){0,12}[\w-]{1,80}\.\w{1,8})(?![\w/.])[^?.]{0,80}\bor\b|\bklassifizier\w*|\bclassifi\w+\b|\bclasific\w+|\bclassifica\w*|分類して|分類する|分类|분류/iu,
  ],
  [
    'entities',
    /\b(?:extract|find|list|get|collect|name|give)\b[^.?!]{0,60}\b(?:e-?mails?(?: addresses)?|urls?|links|dates|names|people|persons|phone numbers?|amounts?|prices|numbers|identifiers)\b|\b(?:which|what|welche|quelles|qué|quali)\s+(?:e-?mail(?:s|[- ]ad\w+)|urls|links|dates|names|people|phone numbers|amounts|prices)\b|\b(?:extrahiere?|nenne|finde|liste)\b[^.?!]{0,60}\b(?:e-?mail\w*(?:[- ]adressen)?|namen|daten|telefonnummern|beträge)\b|\b(?:extrais|trouve|liste|extrae|encuentra|lista)\b[^.?!]{0,60}\b(?:e-?mails|adresses|noms|dates|correos|nombres|fechas)\b/iu,
  ],
  [
    'answer',
    /\?|\banswer\b|\b(?:tell me|find out|let me know|say)\b[^.!?]{0,80}\b(?:what|who|when|where|why|how|which|whether|whose)\b|\b(?:what|who|when|where|why|how|which)\b[^.!]{0,120}\b(?:say|says|said|state|states|mention|mentions|according to)\b|\b(?:quote|find|cite)\b[^.?!]{0,60}\b(?:about|passage|sentence|part|where)\b|\bfrage\b|\bquestion\b|？|ですか|ますか|でしたか|ましたか|答えて|回答|教えて/iu,
  ],
];

/** What needs a language model, in languages that do not put blanks between words. */
const BEYOND_UNSPACED = /翻訳|訳して|書いて|作成して|生成して|描いて|翻译|翻譯|写一|撰写|번역|작성해/u;
const BEYOND =
  /(?:^|[.!?;:\n]\s{0,5}|\b(?:please|and|then|you|to|also|now|me|bitte|or)\s+|,\s*)(write|compose|draft|create|generate|produce|invent|imagine|translate|rewrite|paraphrase|rephrase|improve|correct|proofread|code|implement|program|debug|fix|refactor|design|draw|paint|brainstorm|recommend|solve|calculate|compute|continue|role-?play|pretend|explain|predict|critique|argue|chat|reply|respond|make up|build|convert|review|schreibe?|übersetze|écri[st]|tradui[st]|escrib[ea]|traduce|scrivi|traduci)\b([^.!?\n]{0,80})/giu;
/** Results that the engine can produce, whatever verb asks for them. */
const MAKEABLE =
  /^\W*(?:\w+\s){0,6}?(?:summar(?:y|ies)|abstract|overview|keywords?|key (?:terms|words|phrases|points)|terms|tl;?dr|comparison|classification|label|list of (?:key|the|all|terms|names|dates)|zusammenfassung|résumé|resumen|riassunto|samenvatting)\b/iu;
/** Wordings of the form of the answer, which are not jobs. */
const FORM =
  /^\W*(?:(?:only|just)\b|(?:with|in|using|as) (?:only|just|one|a single|json|the|valid|exactly)\b|briefly|concisely|shortly|in (?:\w+ )?(?:words?|sentences?)|no )/iu;

/** Verbs that ask for a figure where one is named. */
const FIGURED = /^(?:calculate|compute|create|generate|build|produce|draw)$/;

interface JobMatch {
  readonly job: JobType;
  readonly at: number;
}

/** The jobs of an instruction in order, and what it asks for beyond the engine's abilities. */
export function readIntent(instruction: string): Intent {
  // Most conversations have no system prompt, and a process compiles a pattern with its first text.
  if (instruction === '') return { jobs: [] };
  const text = instruction.slice(0, 20_000);
  const jobs = jobMatches(text).map(({ job }) => job);
  const beyond = beyondEngine(text, jobs);
  return beyond === undefined ? { jobs } : { jobs, beyond };
}

/** The jobs in the order of their first mention in the instruction. */
export function jobMatches(text: string): JobMatch[] {
  const found = PATTERNS.flatMap(([job, pattern]) => {
    const at = pattern.exec(text)?.index;
    return at === undefined ? [] : [{ job, at }];
  });
  const special = specialJob(
    text,
    found.map(({ job }) => job),
  );
  if (special !== undefined) return [{ job: special, at: 0 }];
  const others = found.filter(({ job }) => job !== 'answer' && job !== 'entities');
  const kept = found.filter(({ job }) => (job !== 'answer' && job !== 'entities') || others.length === 0);
  if (kept.length > 1 && kept.every(({ job }) => job === 'answer' || job === 'entities'))
    return kept.filter(({ job }) => job === 'entities');
  const asked = others.length === 0 ? undefined : separateQuestion(text);
  const all = asked === undefined ? kept : [...kept, { job: 'answer' as const, at: asked }];
  return all.sort((a, b) => a.at - b.at);
}

/** Named fields and figures are asked for by a form, not by a word: they rule where no job of another kind is named. */
function specialJob(text: string, named: readonly JobType[]): JobType | undefined {
  if (named.some((job) => job === 'summarise' || job === 'key-terms' || job === 'classify' || job === 'compare'))
    return undefined;
  if (fieldsIn(text).length > 0) return 'fields';
  return opensWithFigure(text) ? 'figures' : undefined;
}

/**
 * A question next to other jobs is a job of its own only where its clause names none of them: "can you summarise
 * this?" and "is it a or b?" are not.
 */
function separateQuestion(text: string): number | undefined {
  const question =
    /(?:^|[.!?:\n]\s{0,5}|,?\s{1,5}(?:and|then)\s+(?:answer:?\s+|say\s+|tell me\s+)?)((?:what|who|when|where|why|how|which|whose|does|did|is|are|can)\b[^.!?\n]{3,300}\?)/iu.exec(
      text,
    );
  const clause = question?.[1];
  if (question === null || clause === undefined) return undefined;
  const another = PATTERNS.some(([job, pattern]) => job !== 'answer' && pattern.test(clause));
  return another ? undefined : question.index + question[0].length - clause.length;
}

function beyondEngine(text: string, jobs: readonly JobType[]): string | undefined {
  const unspaced = BEYOND_UNSPACED.exec(text)?.[0];
  if (unspaced !== undefined) return unspaced;
  for (const [, verb = '', rest = ''] of text.matchAll(BEYOND)) {
    const asked = verb.toLowerCase();
    if (MAKEABLE.test(rest)) continue;
    if (/^(?:reply|respond|write|explain|produce)$/.test(asked) && FORM.test(rest)) continue;
    // Found nothing is no verdict: where no other job is named, a review is wanted.
    if (asked === 'review' && jobs.some((job) => job !== 'answer')) continue;
    // Explaining a label or an answer is possible: the evidence is quoted.
    if (asked === 'explain' && /^\W*(?:why|your|the (?:choice|reason))/.test(rest) && jobs.includes('classify'))
      continue;
    if (asked === 'explain' && jobs.includes('answer')) continue;
    if (FIGURED.test(asked) && jobs.includes('figures')) continue;
    return asked;
  }
  return undefined;
}

const COUNT_WORDS = [
  'one|a single|einem|ein|une|un|una|uno|um|uma|een',
  'two|zwei|deux|dos|due|dois|duas|twee',
  'three|drei|trois|tres|tre|três|drie|三|3つ',
  'four|vier|quatre|cuatro|quattro|quatro',
  'five|fünf|cinq|cinco|cinque|vijf',
  'six|sechs|seis|sei|zes',
  'seven|sieben|sept|siete|sette|sete|zeven',
  'eight|acht|huit|ocho|otto|oito',
  'nine|neun|neuf|nueve|nove|negen',
  'ten|zehn|dix|diez|dieci|dez|tien',
].map((words) => words.split('|'));

/** The number before one of the nouns (`in 3 sentences`, `two-sentence`, `top five key terms`), if any. */
export function countBefore(instruction: string, nouns: string): number | undefined {
  const spelt = COUNT_WORDS.flat().join('|');
  const pattern = new RegExp(
    `(?<![\\p{L}\\p{N}])(\\d{1,4}|${spelt})[ -]{1,3}(?:[\\p{L}\\p{N}]{1,30}[ -]{1,3}){0,2}?(?:${nouns})`,
    'iu',
  );
  const word = pattern.exec(instruction.slice(0, 5000))?.[1]?.toLowerCase();
  if (word === undefined) return undefined;
  const known = COUNT_WORDS.findIndex((words) => words.includes(word));
  return known === -1 ? Number(word) : known + 1;
}
