/** A doubtful answer escalates to a premium model. Both are charged; the response reports which one answered and why. */
import { readFileSync } from 'node:fs';
import { createPolyphony, definePlugin, formatUsd, textOf } from 'polyphony';
import embedded from 'polyphony/plugins/providers/embedded';

/** A fake of a cheap model that guesses, and reports a low confidence. */
const guesser = definePlugin({
  name: 'guesser',
  providers: [
    {
      id: 'guesser',
      models: [
        {
          id: 'guess',
          operations: ['chat'],
          tier: 'fast',
          strengths: {},
          capabilities: ['text', 'streaming'],
          contextTokens: 8000,
          maxOutputTokens: 100,
          price: { input: 0.1, output: 0.4 },
          retention: 'none',
        },
      ],
      async *stream() {
        yield { type: 'text-delta', text: "I'm not sure, but perhaps a late book costs nothing." };
        yield { type: 'finish', reason: 'stop', usage: { input: 200, output: 12 }, confidence: 0.3 };
      },
    },
  ],
});

const polyphony = await createPolyphony({ plugins: [guesser, embedded] });
const rules = readFileSync('examples/material/rules.md', 'utf8');

const response = await polyphony.gateway.generate({
  model: 'guesser/guess',
  messages: [{ role: 'user', content: `Question: What does a late book cost?\n\nText:\n${rules}` }],
  // The embedded engine stands back where there is another model, so it is named.
  escalate: { evaluator: 'validators', below: 0.7, to: ['embedded/thorough'] },
});

const { escalation: report } = response;
for (const [rung, { target, score, costNanoUsd, reasons }] of (report?.rungs ?? []).entries()) {
  const money = formatUsd(costNanoUsd);
  console.log(
    `rung ${rung}: ${target.provider}/${target.model}, score ${score?.toFixed(2)}, ${money}. ${reasons.join('; ')}`,
  );
}
console.log(`${textOf(response)}\n— ${report?.reason}; in all ${formatUsd(response.costNanoUsd)}`);
await polyphony.close();
if (report?.rung !== 1) throw new Error('the doubtful answer should have climbed one rung');
