/** Every answer is moderated, repeated questions come from the cache, and what is blocked is never stored. */
import { createPolyphony, PolyphonyError, textOf } from 'polyphony';
import { exactCache } from 'polyphony/plugins/caching/exact-cache';
import { localRules, moderation } from 'polyphony/plugins/moderation/moderation';
import embedded from 'polyphony/plugins/providers/embedded';

const cache = exactCache();
const polyphony = await createPolyphony({
  plugins: [
    embedded,
    cache,
    moderation({
      classifiers: [localRules({ rules: [{ category: 'secret', terms: ['launch code'] }] })],
      action: 'block',
    }),
  ],
});

const ask = (text: string) =>
  polyphony.gateway.generate({
    messages: [{ role: 'user', content: `Summarise the following text in one sentence.\n\n${text}` }],
  });

const first = await ask('The ferry leaves at nine. It carries cars and people. The crossing takes an hour.');
const second = await ask('The ferry leaves at nine. It carries cars and people. The crossing takes an hour.');
console.log(textOf(first));
console.log(`asked twice, answered once: ${second.cached === true}, hits ${cache.statistics().hits}`);

try {
  await ask('The launch code is taped under the desk. Nobody should read it.');
  throw new Error('the question should have been blocked');
} catch (error) {
  if (!(error instanceof PolyphonyError) || error.code !== 'blocked') throw error;
  console.log(`${error.code}: ${error.message}`);
}
await polyphony.close();
