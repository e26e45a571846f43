/**
 * Cue words for labels that are asked for often. English only; a label that is not listed is matched by its own words
 * and by the description that the request gives of it. An entry holds for every label that starts with one of `names`.
 * Cues are written as they occur; several words make a phrase.
 */

interface Entry {
  readonly names: readonly string[];
  readonly cues: string;
}

const ENTRIES: readonly Entry[] = [
  {
    names: ['positive', 'good', 'praise', 'satisfied', 'happy', 'compliment'],
    cues: `good, great, excellent, love, loved, loves, like it, wonderful, amazing, awesome, fantastic, perfect, happy, pleased, delighted,
      satisfied, recommend, recommended, best, beautiful, enjoy, enjoyed, helpful, impressive, impressed, nice, superb, thank, thanks, brilliant,
      fast, friendly, reliable, easy, works well, works perfectly, exceeded, outstanding, pleasant, worth it, solid, smooth, well made`,
  },
  {
    names: ['negative', 'bad', 'complaint', 'dissatisfied', 'unhappy', 'angry', 'frustrated'],
    cues: `bad, terrible, awful, horrible, hate, hated, worst, poor, poorly, disappointed, disappointing, disappointment, broken, broke, useless,
      waste, wasted, slow, annoying, annoyed, angry, frustrated, frustrating, unhappy, rude, refund, never again, fails, failed, failure,
      defective, unacceptable, unreliable, ridiculous, boring, dull, cheap, faulty, wrong, problem, problems, complaint, stopped working, avoid,
      overpriced, unusable, dirty, late, not work, does not work, doesn't work, died, dead, ignored, no response, never answered, regret, mess, buggy, crashes`,
  },
  { names: ['neutral', 'mixed'], cues: 'okay, average, mediocre, acceptable, adequate, ordinary, fine, so-so' },
  {
    names: ['billing', 'payment', 'invoice', 'finance', 'accounting', 'charge'],
    cues: `invoice, bill, billed, billing, charge, charged, charges, payment, pay, paid, card, credit card, refund, refunded, money, price, pricing, subscription,
      fee, fees, receipt, tax, vat, bank, overcharged, charged twice, plan, renewal, discount, coupon, transaction, cost, debit, paypal, iban`,
  },
  {
    names: ['tech', 'technical', 'support', 'it', 'engineering'],
    cues: `error, errors, bug, crash, crashes, crashed, install, installation, login, log in, password, server, app, application, software, update,
      not working, doesn't work, does not work, won't start, loading, screen, website, page, browser, api, timeout, connection, internet, wifi,
      network, reset, device, driver, version, freezes, frozen, slow, exception, stack trace, configure, configuration, 404, 500, offline, upgrade`,
  },
  {
    names: ['bug', 'defect', 'incident', 'error'],
    cues: `bug, crash, crashes, crashed, error, errors, exception, fails, failed, broken, regression, stack trace, not working, doesn't work, does not work,
      freezes, incorrect, wrong, unexpected, undefined, throws, stopped working, segfault, hangs`,
  },
  {
    names: ['feature', 'enhancement', 'suggestion', 'request', 'idea'],
    cues: `feature, would be nice, would be great, please add, add support, suggestion, suggest, wish, could you add, improve, improvement, request, enhancement,
      it would help, ability to, option to, proposal`,
  },
  {
    names: ['question', 'inquiry', 'help', 'how-to'],
    cues: `how do, how can, how to, what is, where can, when will, is it possible, can i, could you tell, question, wondering, curious, does it, which`,
  },
  {
    names: ['account', 'profile', 'access', 'login'],
    cues: `account, login, log in, sign in, password, username, profile, email address, register, registration, locked, two-factor, verification, delete my account, access`,
  },
  {
    names: ['shipping', 'delivery', 'logistics', 'order'],
    cues: `shipping, shipped, ship, delivery, delivered, deliver, package, parcel, tracking, courier, arrive, arrived, order, warehouse, late, address, customs, dispatch, shipment`,
  },
  {
    names: ['return', 'refund', 'cancellation', 'cancel'],
    cues: `return, returned, send back, refund, money back, exchange, cancel, cancellation, reimbursement, unwanted, replacement, terminate`,
  },
  {
    names: ['sales', 'lead', 'quote', 'presales'],
    cues: `quote, pricing, buy, purchase, demo, trial, interested in, offer, discount, enterprise, licences, licenses, seats, upgrade, sales, contract, volume`,
  },
  {
    names: ['urgent', 'high', 'critical', 'emergency', 'p0', 'p1'],
    cues: `urgent, urgently, asap, immediately, emergency, critical, right now, outage, down, production, deadline, today, severe, cannot wait, can't wait, as soon as possible,
      data loss, blocked, all users, everyone, breach, losing, security`,
  },
  {
    names: ['low', 'minor', 'trivial', 'non-urgent', 'not urgent', 'p3', 'p4'],
    cues: `no rush, no hurry, whenever, minor, cosmetic, typo, when you have time, low priority, not urgent, nice to have, someday, small, curious, just wondering`,
  },
  {
    names: ['medium', 'normal', 'p2'],
    cues: `soon, this week, workaround, some users, sometimes, occasionally, inconvenient`,
  },
  {
    names: ['spam', 'junk', 'scam', 'phishing'],
    cues: `winner, you have won, prize, lottery, click here, free, act now, limited time, viagra, casino, bitcoin, crypto, congratulations, claim, guaranteed, unsubscribe,
      earn money, make money, no obligation, wire transfer, inheritance, verify your account, million dollars, cash, offer expires`,
  },
  {
    names: ['ham', 'not spam', 'legitimate'],
    cues: `meeting, attached, regards, as discussed, agenda, invoice, schedule, see you, project, team, report`,
  },
  {
    names: ['sport'],
    cues: `match, game, team, player, goal, scored, coach, league, season, championship, tournament, win, won, cup, football, tennis, basketball, race, olympic, stadium`,
  },
  {
    names: ['politic', 'government', 'election'],
    cues: `government, president, minister, parliament, election, vote, voters, party, senate, congress, policy, law, campaign, democracy, opposition, treaty, senator, bill`,
  },
  {
    names: ['business', 'economy', 'financial', 'market'],
    cues: `company, market, shares, stock, profit, revenue, investors, bank, economy, growth, sales, merger, quarter, earnings, inflation, trade, ceo, industry, startup, dividend`,
  },
  {
    names: ['science', 'research'],
    cues: `scientists, researchers, study, research, experiment, discovery, species, physics, biology, chemistry, laboratory, theory, telescope, planet, space, climate, genome, particles`,
  },
  {
    names: ['technology', 'computing', 'software'],
    cues: `software, computer, internet, app, digital, data, device, smartphone, chip, algorithm, online, users, platform, robot, cloud, code, programming, processor, hardware`,
  },
  {
    names: ['health', 'medical', 'medicine'],
    cues: `doctor, patient, patients, hospital, disease, treatment, symptoms, health, medicine, medical, vaccine, virus, pain, clinic, drug, therapy, diagnosis, fever, surgery, nurse`,
  },
  {
    names: ['travel', 'tourism'],
    cues: `flight, hotel, trip, airport, booking, travel, tourist, vacation, holiday, passport, luggage, beach, train, destination, visa, itinerary`,
  },
  {
    names: ['food', 'restaurant', 'cooking'],
    cues: `food, restaurant, meal, recipe, cook, dish, taste, delicious, menu, chef, dinner, lunch, ingredients, kitchen, flavour, flavor, bake, waiter`,
  },
  {
    names: ['entertainment', 'film', 'movie', 'music', 'culture'],
    cues: `film, movie, actor, actress, music, album, song, band, singer, concert, director, series, show, television, award, theatre, artist, audience`,
  },
  {
    names: ['legal', 'compliance', 'law'],
    cues: `contract, agreement, court, lawyer, law, legal, liability, license, licence, terms, clause, gdpr, compliance, lawsuit, attorney, copyright, regulation, plaintiff`,
  },
  {
    names: ['security', 'privacy'],
    cues: `security, vulnerability, breach, hacked, attack, password, leak, leaked, encryption, malware, phishing, unauthorised, unauthorized, exploit, cve, privacy, personal data`,
  },
  {
    names: ['hr', 'human resources', 'personnel', 'recruit'],
    cues: `holiday, vacation, salary, payroll, employee, hire, hiring, interview, candidate, sick leave, benefits, onboarding, manager, promotion, resignation, contract`,
  },
];

/** Labels for when nothing else fits. */
export const FALLBACK_LABEL =
  /^(?:other|others|unknown|none|neutral|general|misc|miscellaneous|n\/?a|unclear|uncertain|undetermined|else)$/i;
export const NEGATIONS: ReadonlySet<string> = new Set(
  "not no never isn't wasn't don't doesn't didn't can't cannot couldn't won't wouldn't hardly barely without neither nor aren't weren't".split(
    ' ',
  ),
);
/** Labels that a negation before a cue turns into each other. */
export const OPPOSITES: ReadonlyMap<string, string> = new Map([
  ['positive', 'negative'],
  ['negative', 'positive'],
]);

/** The cues of a label, `[]` when the lexicon knows none, and the concept that they stand for. */
export function cuesOf(label: string): { readonly concept: string; readonly cues: readonly string[] } {
  const name = label
    .toLowerCase()
    .replace(/[_/-]+/g, ' ')
    .trim();
  const entry = ENTRIES.find(({ names }) => names.some((known) => matches(name, known.replace(/-/g, ' '))));
  if (entry === undefined) return { concept: name, cues: [] };
  return { concept: entry.names[0] ?? name, cues: entry.cues.split(',').map((cue) => cue.replace(/\s+/g, ' ').trim()) };
}

/** `tech` names `tech` and `tech support`; a short name must be the whole word. */
function matches(name: string, known: string): boolean {
  if (name === known) return true;
  if (known.includes(' ')) return name.startsWith(`${known} `);
  return name.split(' ').some((word) => word === known || (known.length >= 5 && word.startsWith(known)));
}
