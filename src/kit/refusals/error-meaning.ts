/** What a refusal can mean, and what the structured words of error bodies (codes, types, reasons) say about it. */

/**
 * More kinds than error codes: a spent account and a wrong key are one code, but only one of them may be a 429.
 * `forbidden`: the key may not do this here, and may do other things. `too-large`: this one request is above a limit, however
 * long one waits. `model-failure`: the model wrote a call or a document that the server could not read. `page`: something
 * in front of the API answered.
 */
export type ErrorMeaning =
  | 'context'
  | 'policy'
  | 'spent'
  | 'key'
  | 'forbidden'
  | 'model'
  | 'rate'
  | 'too-large'
  | 'overloaded'
  | 'timeout'
  | 'unsupported'
  | 'model-failure'
  | 'page'
  | 'invalid';

/** In the order in which they are tried. Names are compared without case, dots, dashes and underscores. */
const NAMES: readonly (readonly [ErrorMeaning, RegExp])[] = [
  ['model-failure', /^(tool|function)(use|call)\w{0,20}failed$|^json\w{0,20}failed$|^outputparse\w{0,10}failed$/],
  [
    'context',
    /contextlength|contextwindow|contextsize|(prompt|input|request|payload)too(long|large)|toomany\w{0,20}tokens/,
  ],
  [
    'policy',
    /content(filter|policy|moderation|management|blocked)|(prompt|input|output)blocked|responsibleai|moderation(blocked|error)|datainspection|inappropriatecontent|(prohibited|sensitive|unsafe|nsfw)(content|words)|policyviolation|guardrail|modelarmor|^safety|^invalidprompts$/,
  ],
  [
    'spent',
    /insufficient(quota|balance|credit|fund)|^billing|paymentrequired|arrearage|overdue|outofcredit|budgetexceeded|exceededcurrentquota|creditsexhausted/,
  ],
  [
    'model',
    /model\w{0,30}(notfound|notexist|notavailable|denied|permission|block|notallowed|notpermitted|forbidden|restricted|decommissioned|deprecated|retired|disabled)|(unknown|invalid|forbidden|nosuch)model|deploymentnotfound|freetieronly/,
  ],
  [
    'key',
    /apikey|authentication|unauthori[sz]ed|unauthenticated|(expired|invalid)token|tokenexpired|unrecognizedclient|signatureexception|incompletesignature|signaturedoesnotmatch|account(deactivated|disabled|suspended)|accountstateinvalid|credentialsmissing|accessterminated/,
  ],
  ['rate', /ratelimit|throttl|toomanyrequests|resourceexhausted|quotaexceeded|limitrequests/],
  [
    'overloaded',
    /overload|capacityexceeded|unavailable|serverbusy|modelnotready|modelerror|modelstreamerror|nohealthy|upstreamerror/,
  ],
  ['timeout', /timeout|timedout|deadlineexceeded/],
  ['unsupported', /unsupported(?!country)|notsupported|notimplemented/],
];

/** Names are words of the server. None is longer, and who sends a longer one does not say it better. */
const MAX_NAME = 200;
const MAX_NAMES = 16;

const plain = (name: string): string =>
  name
    .slice(0, MAX_NAME)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, '');

/** The meaning of the first name that has one; only meanings in `among`, if given. */
export function meaningOfNames(names: readonly string[], among?: ReadonlySet<ErrorMeaning>): ErrorMeaning | undefined {
  for (const name of names.slice(0, MAX_NAMES)) {
    const word = plain(name);
    const found = NAMES.find(([, pattern]) => pattern.test(word))?.[0];
    if (found !== undefined && (among === undefined || among.has(found))) return found;
  }
  return undefined;
}

/** The statuses of errors that have none of their own, by what they mean. */
const STATUSES: Readonly<Partial<Record<ErrorMeaning, number>>> = {
  spent: 402,
  key: 401,
  model: 404,
  rate: 429,
  overloaded: 503,
  timeout: 504,
  context: 400,
  policy: 400,
  unsupported: 400,
  'model-failure': 400,
};

/** The status that the names imply; 500 if they imply none. */
export function statusOfNames(names: readonly string[]): number {
  const meaning = meaningOfNames(names);
  const status = meaning === undefined ? undefined : STATUSES[meaning];
  if (status !== undefined) return status;
  const words = names.slice(0, MAX_NAMES).map(plain).join(' ');
  if (words.includes('auth')) return 401;
  if (words.includes('permission') || words.includes('accessdenied')) return 403;
  return words.includes('invalid') || words.includes('badrequest') ? 400 : 500;
}
