/**
 * The language of a text, where it can be told simply: by its script, else by its most common words. Undefined where neither tells:
 * a short text, a mixed one, or a language that is not in the lists. The lists were written for this file.
 */

/** Characters that are read. */
const MOST_CHARACTERS = 600;
/** Of the letters, so that a name in another script decides nothing. */
const MOST_OF = 0.5;

export interface DetectedLanguage {
  /** BCP 47, its main part only. */
  readonly tag: string;
  readonly by: 'script' | 'words';
}

export function languageOf(given: string): DetectedLanguage | undefined {
  const text = given.slice(0, MOST_CHARACTERS);
  const letters = count(text, LETTERS);
  if (letters === 0) return undefined;
  const isMostly = (script: RegExp): boolean => count(text, script) / letters > MOST_OF;
  const shared = SHARED_SCRIPTS.find(({ script }) => isMostly(script));
  if (shared !== undefined) {
    const marked = shared.marks.find(([mark]) => mark.test(text));
    return marked === undefined ? byEvidence(text, shared.evidences) : { tag: marked[1], by: 'script' };
  }
  // Japanese mixes both, and Chinese has no kana.
  const kana = count(text, KANA);
  const han = count(text, HAN);
  if ((kana + han) / letters > MOST_OF) return { tag: kana / (kana + han) > 0.1 ? 'ja' : 'zh', by: 'script' };
  const own = SCRIPTS.find(([script]) => isMostly(script));
  return own && { tag: own[1], by: 'script' };
}

const count = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0;

const LETTERS = /\p{L}/gu;
const KANA = /[\p{Script=Hiragana}\p{Script=Katakana}]/gu;
const HAN = /\p{Script=Han}/gu;

/** Scripts of one widely written language each. */
const SCRIPTS: readonly (readonly [RegExp, string])[] = [
  [/\p{Script=Hangul}/gu, 'ko'],
  [/\p{Script=Greek}/gu, 'el'],
  [/\p{Script=Thai}/gu, 'th'],
  [/\p{Script=Hebrew}/gu, 'he'],
  [/\p{Script=Armenian}/gu, 'hy'],
  [/\p{Script=Georgian}/gu, 'ka'],
  [/\p{Script=Bengali}/gu, 'bn'],
  [/\p{Script=Tamil}/gu, 'ta'],
  [/\p{Script=Telugu}/gu, 'te'],
  [/\p{Script=Kannada}/gu, 'kn'],
  [/\p{Script=Malayalam}/gu, 'ml'],
  [/\p{Script=Gujarati}/gu, 'gu'],
  [/\p{Script=Gurmukhi}/gu, 'pa'],
  [/\p{Script=Khmer}/gu, 'km'],
  [/\p{Script=Lao}/gu, 'lo'],
  [/\p{Script=Myanmar}/gu, 'my'],
  [/\p{Script=Ethiopic}/gu, 'am'],
  [/\p{Script=Sinhala}/gu, 'si'],
];

// ---------------------------------------------------------------------------------------------------- common words

/** What the words and letters of the language must weigh at least, and how many times as much as those of the next one. */
const LEAST = 1;
const LEAD = 1.4;
/** A letter beside a word. */
const LETTER = 0.8;

/** Evidence that counts for several languages counts less for each. */
type Evidence = ReadonlyMap<string, readonly string[]>;

interface Evidences {
  readonly words: Evidence;
  readonly letters: Evidence;
}

function byEvidence(text: string, { words, letters }: Evidences): DetectedLanguage | undefined {
  const weights = new Map<string, number>();
  const count = (tags: readonly string[] | undefined, weight: number): void => {
    for (const tag of tags ?? []) weights.set(tag, (weights.get(tag) ?? 0) + weight / (tags?.length ?? 1));
  };
  const lower = text.toLowerCase();
  for (const [word] of lower.matchAll(/[\p{L}\p{M}]+/gu)) count(words.get(word), 1);
  for (const letter of lower) count(letters.get(letter), LETTER);
  const [first, second] = [...weights].sort(([, a], [, b]) => b - a);
  if (first === undefined || first[1] < LEAST || first[1] < LEAD * (second?.[1] ?? 0)) return undefined;
  return { tag: first[0], by: 'words' };
}

/** From each of them to the languages that have it. */
function evidence(listed: Readonly<Record<string, string>>, between: string): Evidence {
  const found = new Map<string, string[]>();
  for (const [tag, all] of Object.entries(listed)) {
    for (const one of all.split(between)) found.set(one, [...(found.get(one) ?? []), tag]);
  }
  return found;
}

const evidences = (
  words: Readonly<Record<string, string>>,
  letters: Readonly<Record<string, string>> = {},
): Evidences => ({ words: evidence(words, ' '), letters: evidence(letters, '') });

const LATIN = evidences(
  {
    en: 'the of and to in is that it for was with as be on are this have from or by not what which you how please can your my do does why i me an',
    de: 'der die das und ist nicht ein eine zu den von mit sich auf für dem des im auch wie was ich bitte wird sind oder nach bei warum mir es du aus',
    fr: 'le la les des et est un une du que dans pour pas qui sur ce avec il elle sont au vous je nous par plus ou où comment ne aux cette quel quelle',
    es: 'el la los las de que y en un una es por con para del se no al lo como su más qué cómo este esta son o pero muy mi está cuál',
    it: 'il lo la gli di che è e un una per non con del della sono in al come più questo questa da si i le ma anche nel alla cosa perché mi dei',
    pt: 'o os as de que e um uma é em não para com do da no na se por mais como dos das são ao eu você está isso qual meu pelo uma',
    nl: 'de het een en van is dat niet op te zijn met voor die aan er ook hoe wat ik je deze of naar bij worden kan om waarom mijn wordt',
    sv: 'och att det som en är på för av med den till inte om ett jag har hur vad du kan från eller varför mig ska när vi detta',
    da: 'og at det som en er på for af med den til ikke om et jeg har hvordan hvad du kan fra eller hvorfor mig skal når vi dette af være sig blev efter noget nogen kunne skulle også ud',
    no: 'og at det som en er på for av med den til ikke om et jeg har hvordan hva du kan fra eller hvorfor meg skal når vi dette være seg ble etter noe noen kunne skulle også ut',
    fi: 'ja on ei että se en tämä mitä miten oli joka kun mutta ovat voi minä sen tai myös miksi mikä kuin ole jos onko hän niin olla ovat olen olet sinun minun kanssa kuinka sekä vain hänen jotka tätä voit pitää',
    pl: 'i w nie na się z do to że jest jak o co po dla czy od są przez ale za tego ten tym jako lub dlaczego mi jakie może był',
    cs: 'je se na to že do jak pro ale jsou jako co by nebo proč jaký může být tento které který jsem není si od která jen když byl byla při také',
    hu: 'a az és hogy nem is egy ez van meg mi de csak azt volt mint ha vagy hogyan miért milyen kell lehet ezt már el nekem',
    ro: 'și de la în a cu nu pe care este un o din pentru ce mai sunt că se cum sau ale lui dar fi prin acest această',
    tr: 've bir bu için ile de da ne nasıl değil olarak daha çok mi olan var gibi kadar bana neden en mı ben ya ama şu',
    vi: 'là và của có không một các cho được trong với này những để người tôi như thế nào về khi đã bạn gì hãy từ vì',
    id: 'yang dan di dari untuk dengan ini itu tidak adalah pada ke dalam akan saya bagaimana apa atau juga oleh ada bisa karena anda mengapa tersebut sudah dapat lebih',
    sk: 'je na sa že do ako pre ale sú čo by alebo prečo aký môže byť tento ktoré ktorý som nie si od ktorá ich iba keď bol bola pri aj',
    sl: 'je na se da za ne kot ali pa ki po kako kaj bi zakaj ima lahko sem ni do od tudi ter jih tega pri kje ste',
    hr: 'je se na da za ne su od kao ili koji po kako što bi zašto ima može sam nije do iz koja koje te biti još samo ovo',
    ca: 'el la els les de que en un una és per amb del no al com més o què aquest aquesta són però molt em està dels quan tinc fer',
    et: 'ja on ei et see mis kuidas oli kes kui aga või ma sina ka miks seda tema võib olla oma palun minu selle need välja',
    af: 'die het en van is dat nie op te met vir aan hy ook hoe wat ek jy hierdie of na by word kan om sy deur tot',
    sq: 'dhe në e të një për me që nuk është si nga do ka këtë kjo ose por çdo ai kush',
  },
  {
    de: 'äöüß',
    fr: 'éèêçàùœîôë',
    es: 'ñáéíóú',
    it: 'èàòùìé',
    pt: 'ãõçáéêóíúâ',
    sv: 'åäö',
    da: 'åæø',
    no: 'åæø',
    fi: 'äö',
    et: 'õäöü',
    pl: 'ąćęłńóśźż',
    cs: 'ěščřžýáíéůúťď',
    sk: 'ščžýáíéúťďľôäňĺ',
    sl: 'čšž',
    hr: 'čšžćđ',
    hu: 'áéíóöőúüű',
    ro: 'ăâîșțşţ',
    tr: 'ğışöüçâ',
    vi: 'ăâđêôơưáàảãạắằẳẵặấầẩẫậéèẻẽẹếềểễệíìỉĩịóòỏõọốồổỗộớờởỡợúùủũụứừửữựýỳỷỹỵ',
    ca: 'àèéíòóúçï',
    sq: 'ëç',
    af: 'êë',
  },
);

const CYRILLIC = evidences({
  ru: 'и в не на что с как это по из у к для от так он но я мы или все было же за бы только мне почему если можно какие которые который чтобы была были быть очень тоже есть нет его её их меня сейчас надо такое',
  bg: 'и в на не да се за от с е по какво че как това са до при този или ще към които си защо аз ми един',
  sr: 'и у је на да се не за од са су како шта то по или који до што као би из ли ми због али',
  mk: 'и во на не да се за од со е како што тоа сум по или кој до ќе зошто ми ги го овој',
  kk: 'және бұл мен үшін бір бар қалай не да де емес деп осы',
});

const ARABIC = evidences({
  ar: 'في من على إلى أن هذا هذه ما لا هو هي كان عن مع التي الذي كيف لماذا هل أو لم يا ثم',
  fa: 'و در به از که این است را با برای آن یک چه من می تا هم چگونه چرا شود',
  ur: 'کے میں کی ہے اور سے کا کو یہ نے پر کیا ہیں نہیں',
});

const DEVANAGARI = evidences({
  hi: 'के में है की और से का को यह पर क्या हैं नहीं ने कि एक कैसे लिए मुझे',
  mr: 'आहे आणि या च्या हे ते नाही मी काय आहेत कसे एक मला साठी',
  ne: 'छ र को मा यो हो छन् लाई भने के गर्न म कसरी',
});

interface SharedScript {
  readonly script: RegExp;
  /** Letters that only one of its languages has. */
  readonly marks: readonly (readonly [RegExp, string])[];
  readonly evidences: Evidences;
}

/** Scripts that several languages share. */
const SHARED_SCRIPTS: readonly SharedScript[] = [
  { script: /\p{Script=Latin}/gu, marks: [], evidences: LATIN },
  {
    script: /\p{Script=Cyrillic}/gu,
    marks: [
      [/[ўЎ]/, 'be'],
      [/[ђЂћЋ]/, 'sr'],
      [/[ѓЃќЌѕЅ]/, 'mk'],
      [/[қҚңҢұҰәӘ]/, 'kk'],
      [/[ґҐїЇєЄіІ]/, 'uk'],
    ],
    evidences: CYRILLIC,
  },
  {
    script: /\p{Script=Arabic}/gu,
    marks: [
      [/[ٹڈڑےں]/, 'ur'],
      [/[پچژگ]/, 'fa'],
    ],
    evidences: ARABIC,
  },
  { script: /\p{Script=Devanagari}/gu, marks: [], evidences: DEVANAGARI },
];
