/** The function words of each language: ignored when texts are weighed, and counted to guess the language. */

const LISTS = {
  en: `a about above after again against all almost also although always am among an and another any are aren't around as at
    be became because been before being below between both but by can can't cannot could couldn't did didn't do does doesn't
    doing don't done down during each either else ever every few for from further get gets give given go goes got had has hasn't
    have haven't having he he's her here hers herself him himself his how however i i'd i'll i'm i've if in into is isn't it it's
    its itself just last less let let's like made make makes many may me might mine more most much must my myself need neither
    no nobody nor not nothing now of off often on once one only onto or other others our ours out over own per perhaps please
    quite rather really s same say says see seem seems several shall she should shouldn't since so some still such t take than
    that that's the their theirs them themselves then there there's these they they're they've this those though through thus to
    too toward under until up upon us use used uses using very via want wants was wasn't way we we're we've well were weren't
    what what's when where whether which while who whole whom whose why will with within without won't would wouldn't yes yet
    you you'll you're you've your yours yourself`,
  de: `aber alle allem allen aller alles als also am an andere anderen auch auf aus bei beim bin bis bist da damit dann das dass
    dem den denn der des deshalb die dies diese diesem diesen dieser dieses doch dort du durch ein eine einem einen einer eines
    er es etwas euch für gegen gibt hab habe haben hat hatte hatten hier ich ihm ihn ihnen ihr ihre ihrem ihren ihrer im in ist ja
    jede jedem jeden jeder jedes jetzt kann kein keine keinem keinen keiner können könnte man mehr mein meine mich mir mit muss
    müssen nach nicht nichts noch nun nur ob oder ohne sehr sein seine seinem seinen seiner seit sich sie sind so soll sollte
    sondern über um und uns unser unter viel vom von vor wann war waren warum was welche welcher welches welchem welchen wieviel wem wen wessen woher wohin wenn wer werden wie wieder wir wird wo worden wurde
    wurden zu zum zur zwischen`,
  fr: `ai alors au aucun aussi autre autres aux avec avoir c'est combien ce ceci cela celle celui ces cet cette chaque comme comment dans
    de des donc dont du elle elles en encore entre est et étaient était été être eu eux fait font il ils je l la le les leur leurs
    lui ma mais me même mes moi moins mon ne ni non nos notre nous on ont ou où par parce pas peu peut plus pour pourquoi quand
    que quel quelle quelles quels qu'il qui quoi sa sans se sera ses si son sont sous sur ta tes toi ton tous tout toute toutes
    très tu un une vos votre vous y`,
  es: `a al algo algunos ante antes aquí así aunque bien cada como con contra cual cuál cuáles cuando cuándo cuánto cuánta cuántos cuántas dónde qué quiénes quién cómo de del desde donde dos durante e el
    él ella ellas ellos en entre era eran es esa ese eso esta está están estas este esto estos fue fueron ha hace han hasta hay la
    las le les lo los más me mi mientras muy nada ni no nos nosotros o os otra otro para pero poco por porque pues que qué quien se
    sea ser si sí sido sin sobre son su sus también tanto te tiene tienen toda todas todo todos tu un una unas uno unos usted y ya
    yo`,
  it: `a ad agli ai al alla alle allo anche ancora avere che chi ci come con contro così cosa da dal dalla dalle dei degli del della
    delle dello di dopo dove due e è ed era erano essere fa fra fu gli ha hanno ho i il in io la le lei li lo loro lui ma me mentre
    mi mia mio molto ne né nei nel nella nelle noi non nostro o ogni oltre per perché più poi prima può qual quale quando quanto
    quella quelle quelli quello questa queste questi questo qui se sei senza si sia sono sua sue suo sul sulla tra tu tutti tutto
    un una uno voi quanto quanti quanta quante quali cos dov com`,
  pt: `a ao aos aquela aquele às as até cada com como contra da das de dela dele delas deles depois do dos e é ela elas ele eles em
    entre era eram essa esse esta está estão estas este estes eu foi foram há isso isto já lhe mais mas me mesmo meu minha muito na
    não nas nem no nos nós nossa nosso num numa o os ou para pela pelas pelo pelos pode por porque quais qual quando que quem são
    se sem ser será seu seus só sobre sua suas também tem têm tinha toda todas todo todos tu um uma umas uns você quanto quantos quanta quantas onde qual`,
  nl: `aan al alle als altijd andere ben bij daar dan dat de deze die dit doch doen door dus een eens en er ge geen geweest haar had
    heb hebben heeft hem het hier hij hoe hun iemand iets ik in is ja je kan kon kunnen maar me meer men met mij mijn moet na naar
    niet niets nog nu of om omdat ons onze ook op over reeds te tegen toch toen tot u uit uw van veel voor waar wanneer want waren was wat we
    wel werd werden wezen wie wij wil worden wordt zal ze zei zelf zich zij zijn zo zonder zou hoeveel welk welke waarom`,
} as const;

export type SpacedLanguage = keyof typeof LISTS;
export const SPACED_LANGUAGES = Object.keys(LISTS) as SpacedLanguage[];

const sets = new Map<SpacedLanguage, ReadonlySet<string>>();

/** The function words of a language, in lower case. */
export function stopWords(language: SpacedLanguage): ReadonlySet<string> {
  let known = sets.get(language);
  if (known === undefined) {
    known = new Set(LISTS[language].split(/\s+/));
    sets.set(language, known);
  }
  return known;
}

/** Characters of Chinese and Japanese that carry grammar and no content when they stand alone as a word. */
export const PARTICLES: ReadonlySet<string> = new Set(
  '的 了 是 在 和 有 我 他 她 它 们 这 那 也 都 就 与 及 或 而 但 不 很 对 从 到 把 被 为 以 の は が を に へ と で も や か から まで より です ます した する して いる ある ない この その あの これ それ し た て れ さ な い 은 는 이 가 을 를 의 에 와 과 도 まし です でし ます でしょう ください いつ どこ 誰 だれ 何 なに なぜ どう どの いくつ いくら 何人 何年 という られ れる せ せる こと 吗 呢 什么 什么时候 谁 哪 哪里 哪个 怎么 怎么样 为什么 多少 何时 几 언제 어디 누가 누구 무엇 왜 어떻게 몇'.split(
    ' ',
  ),
);
