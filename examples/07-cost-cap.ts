/** A cap in dollars that stops a run before it overspends: each answer costs a cent, and the run may cost two and a half. */
import { createPolyphony, definePlugin, formatUsd, type ModelCard, type Plan, PolyphonyError } from 'polyphony';

const card: ModelCard = {
  id: 'cent',
  operations: ['chat'],
  tier: 'fast',
  strengths: {},
  capabilities: ['text', 'streaming'],
  contextTokens: 1000,
  maxOutputTokens: 10,
  price: { input: 0, output: 1000 },
  retention: 'none',
};

/** A fake that always returns ten tokens, which cost one cent. */
const cent = definePlugin({
  name: 'cent',
  providers: [
    {
      id: 'cent',
      models: [card],
      async *stream() {
        yield { type: 'text-delta', text: 'ten tokens of text' };
        yield { type: 'finish', reason: 'stop', usage: { input: 5, output: 10 } };
      },
    },
  ],
});

const plan: Plan = {
  version: 1,
  goal: 'Say the same five times',
  budget: { usd: 0.025 },
  nodes: [1, 2, 3, 4, 5].map((number) => ({
    id: `say${number}`,
    use: 'llm',
    in: { prompt: 'Say it.' },
    ...(number > 1 ? { needs: [`say${number - 1}`] } : {}),
  })),
  output: '{{say5.text}}',
};

const polyphony = await createPolyphony({ plugins: [cent] });
try {
  const checked = await polyphony.validate(plan);
  console.log(`expected: ${formatUsd(checked.plan?.estimate.expectedNanoUsd ?? null)}; allowed: $0.025`);
  for (const issue of checked.issues) console.log(`${issue.severity} ${issue.code}: ${issue.message}`);
  // The estimate already exceeds the plan's budget. Without that budget the plan starts, and the cap of the run stops it.
  const { budget: _, ...unbounded } = plan;
  const handle = await polyphony.start(unbounded, {}, { budgetUsd: 0.025 });
  const result = await handle.result();
  console.log(`${result.status}: ${result.error?.message}`);
  console.log(
    `spent ${formatUsd(result.costNanoUsd)} in ${result.nodes.filter(({ state }) => state === 'done').length} answers`,
  );
  if (result.error?.code !== 'budget-exceeded')
    throw new PolyphonyError('budget-exceeded', 'the cap should have stopped the run');
} finally {
  await polyphony.close();
}
