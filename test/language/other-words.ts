/** Pairs of words of which one is never the other: opposites, plurals, prefixes, languages, numbers, units, near words. */
import fc from 'fast-check';

const PAIRS = `
mount/unmount lock/unlock archive/unarchive follow/unfollow mute/unmute install/uninstall subscribe/unsubscribe zip/unzip paid/unpaid
enable/disable connect/disconnect allow/disallow approve/disapprove appear/disappear arm/disarm code/decode activate/deactivate
allocate/deallocate provision/deprovision frost/defrost normalise/denormalise code/encode crypt/encrypt encrypt/decrypt compress/decompress
open/reopen start/restart try/retry send/resend play/replay name/rename group/regroup order/reorder valid/invalid active/inactive
complete/incomplete visible/invisible legal/illegal regular/irregular possible/impossible moral/amoral sync/async typical/atypical
pay/prepay view/preview approve/preapprove process/postprocess take/mistake load/upload load/download upload/download upgrade/downgrade
increment/decrement increase/decrease inc/dec min/max minimum/maximum first/last next/previous prev/next head/tail left/right top/bottom
upper/lower before/after earliest/latest oldest/newest source/target from/form import/export input/output push/pull read/write get/set
show/hide grant/revoke grant/grand accept/reject accept/except expect/except open/close attach/detach insert/delete add/remove buy/sell debit/credit
debt/debit lend/borrow win/lose load/lose hire/fire fire/file merge/purge hold/release freeze/unfreeze ascend/descend asc/desc gross/net
user/users order/orders report/reports query/queries status/statuses child/children index/indices item/items day/days entry/entries
en/de de/fr en/es pt/br us/uk english/german finnish/finish danish/spanish utc/cet eur/usd euro/euros chf/clf
ms/s sec/min mins/secs hour/hours km/mi kg/lb mb/gb byte/bit bytes/bits celsius/fahrenheit percent/permille
1/2 1/11 10/100 v1/v2 q1/q2 2024/2025 one/two first/second second/third ii/iii xvii/xviii three/there forth/fourth
sign/sing trial/trail county/country diary/dairy angel/angle casual/causal martial/marital untied/united reserve/reverse crate/create
deplete/delete relay/replay reply/replay repeal/repeat rebase/rebate costumer/customer contact/contract count/court cost/cast sever/server
price/prize quiet/quite silver/sliver scared/sacred desert/dessert planing/planning staring/starring hoping/hopping later/latter coma/comma
diner/dinner exits/exists resent/represent conform/confirm perfect/prefect except/expect adverse/averse cash/crash sale/scale plan/plain
send/spend sold/sole tick/trick black/back pack/peck maria/marina brian/brain carol/coral erica/eric john/joan
net/gross vat/net public/private draft/final admin/admit internal/external inbound/outbound manual/annual master/mister test/text
`;

export const OTHER_WORDS: readonly (readonly [string, string])[] = PAIRS.trim()
  .split(/\s+/)
  .map((pair) => pair.split('/') as [string, string]);

export const NAME_STYLES = ['snake', 'kebab', 'camel', 'Pascal', 'dotted', 'CONSTANT'] as const;

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

export function inStyle(style: (typeof NAME_STYLES)[number], words: readonly string[]): string {
  switch (style) {
    case 'snake':
      return words.join('_');
    case 'kebab':
      return words.join('-');
    case 'camel':
      return words.map((word, index) => (index === 0 ? word : capital(word))).join('');
    case 'Pascal':
      return words.map(capital).join('');
    case 'dotted':
      return words.join('.');
    case 'CONSTANT':
      return words.join('_').toUpperCase();
  }
}

const PLAIN = ['customer', 'invoice', 'mailbox', 'window', 'order', 'list', 'all', 'by', 'status', '7'];

/** Two names that differ in one word, each in any style. */
export function otherNames(): fc.Arbitrary<readonly [string, string]> {
  const style = fc.constantFrom(...NAME_STYLES);
  const plain = fc.array(fc.constantFrom(...PLAIN), { maxLength: 2 });
  return fc
    .tuple(fc.constantFrom(...OTHER_WORDS), fc.boolean(), plain, plain, style, style)
    .filter(([pair, , before, after, one, other]) => {
      // Two numbers that meet would be one in a style without separators.
      const hasNumber = /\d/.test([...pair, ...before, ...after].join(''));
      return !hasNumber || ![one, other].some((name) => name === 'camel' || name === 'Pascal');
    })
    .map(([[one, other], isTurned, before, after, first, second]) => {
      const [a, b] = isTurned ? [other, one] : [one, other];
      return [inStyle(first, [...before, a, ...after]), inStyle(second, [...before, b, ...after])] as const;
    });
}
