/** How long a plan will take and what it will cost, before it runs: a thousand runs on a virtual clock, in which no model is called. */
import { createPolyphony, definePlugin, formatUsd, type ModelCard, type Plan } from 'polyphony';

const card = (id: string, expectedMs: number, output: number): ModelCard => ({
  id,
  operations: ['chat'],
  tier: 'fast',
  strengths: {},
  capabilities: ['text', 'streaming'],
  contextTokens: 8000,
  maxOutputTokens: 500,
  expectedMs,
  price: { input: 0.1, output },
  retention: 'none',
});

/** Two models of which only the cards are read. */
const pool = definePlugin({
  name: 'pool',
  providers: [
    {
      id: 'pool',
      models: [card('quick', 800, 0.4), card('slow', 6000, 4)],
      stream() {
        throw new Error('A simulation calls no model.');
      },
    },
  ],
});

const ask = (id: string, model: string, prompt: string) => ({
  id,
  use: 'llm',
  model: { id: `pool/${model}` },
  in: { prompt },
});

const plan: Plan = {
  version: 1,
  goal: 'A report from two sources',
  budget: { usd: 0.002, seconds: 12 },
  nodes: [
    ask('prices', 'quick', 'List the prices in the price list.'),
    ask('reviews', 'slow', 'Sum up what the reviews say.'),
    ask('report', 'quick', 'Write a report from {{prices.text}} and {{reviews.text}}.'),
  ],
  output: '{{report.text}}',
};

const percent = (share: number | undefined): string => `${Math.round(100 * (share ?? 0))} %`;

const polyphony = await createPolyphony({ plugins: [pool] });
try {
  const { ms, nanoUsd, criticalPath, nodes, overDeadline, overBudget } = await polyphony.simulate(plan, { seed: 1 });
  console.log(`${Math.round(ms.p50)} ms in half of the runs, ${Math.round(ms.p95)} ms in 95 of 100`);
  console.log(
    `${formatUsd(nanoUsd?.p50 ?? null)} in half of the runs, ${formatUsd(nanoUsd?.p95 ?? null)} in 95 of 100`,
  );
  console.log(
    `12 seconds do not suffice in ${percent(overDeadline?.share)}, $0.002 not in ${percent(overBudget?.share)}`,
  );
  console.log(`critical path: ${criticalPath.nodes.join(', ')} (${percent(criticalPath.share)} of the runs)`);
  for (const { id, savedMs } of nodes)
    console.log(savedMs === null ? `${id}: rarely decides` : `${id}: twice as fast saves ${Math.round(savedMs)} ms`);
  if (criticalPath.nodes[0] !== 'reviews') throw new Error('the slow model should decide how long it takes');
} finally {
  await polyphony.close();
}
