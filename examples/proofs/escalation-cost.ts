/**
 * An answer that escalates automatically, with the cost of every rung. Three fake models with real-looking prices multiply: the
 * cheapest gets the small sums right, the middle one most, the dearest all. The evaluator recomputes each sum; it asks no model.
 */
import { createPolyphony, definePlugin, formatUsd, type ModelResponse, textOf } from 'polyphony';
import escalation from 'polyphony/plugins/escalation/escalation';
import validators from 'polyphony/plugins/escalation/validators';
import { fakeCard } from 'polyphony/testing';

/** Prices in dollars per million tokens; `below`: the fake model multiplies correctly up to this product. */
const models = [
  { id: 'small', tier: 'fast', below: 100, price: { input: 0.1, output: 0.4 } },
  { id: 'medium', tier: 'balanced', below: 1000, price: { input: 1, output: 4 } },
  { id: 'large', tier: 'premium', below: 1_000_000, price: { input: 5, output: 20 } },
] as const;
const USAGE = { input: 120, output: 40 };

function answer(model: string, question: string): string {
  const [a = 0, b = 0] = [...question.matchAll(/\d+/g)].map(Number);
  const below = models.find(({ id }) => id === model)?.below ?? 0;
  const product = a * b < below ? a * b : a * b + 10;
  return `${a} * ${b} = ${product}, so there are ${product} tiles.`;
}

const fakes = definePlugin({
  name: 'fakes',
  providers: [
    {
      id: 'fake',
      models: models.map(({ below: _, ...card }) => fakeCard(card)),
      async *stream({ request, target }) {
        const question = request.operation === 'chat' ? JSON.stringify(request.messages) : '';
        yield { type: 'text-delta', text: answer(target.model, question) };
        yield { type: 'finish', reason: 'stop', usage: USAGE };
      },
    },
  ],
});

const polyphony = await createPolyphony({ plugins: [fakes, validators(), escalation()] });
const questions = [
  [3, 4],
  [7, 8],
  [5, 9],
  [4, 6],
  [8, 9],
  [12, 13],
  [6, 7],
  [40, 52],
  [2, 9],
  [3, 8],
] as const;

function ladder({ escalation: report, target, costNanoUsd }: ModelResponse): string {
  const rungs = report?.rungs ?? [{ target, score: undefined, costNanoUsd }];
  return rungs
    .map((rung) => `${rung.target.model} ${formatUsd(rung.costNanoUsd)} (score ${rung.score?.toFixed(2) ?? 'none'})`)
    .join(' → ');
}

let total = 0;
let wrong = 0;
let dearest: ModelResponse | undefined;
for (const [a, b] of questions) {
  const response = await polyphony.gateway.generate({
    model: 'fake/small',
    messages: [{ role: 'user', content: `How many tiles are ${a} rows of ${b}?` }],
    escalate: { evaluator: 'validators', below: 0.7, to: ['fake/medium', 'fake/large'] },
  });
  total += response.costNanoUsd ?? 0;
  if (!textOf(response).includes(` ${a * b} `)) wrong += 1;
  if (response.costNanoUsd !== null && response.costNanoUsd > (dearest?.costNanoUsd ?? 0)) dearest = response;
  console.log(`${String(a).padStart(2)} × ${b}`.padEnd(8), ladder(response));
}

console.log('\nthe answer that climbed highest, rung by rung');
for (const { target, score, costNanoUsd, reasons } of dearest?.escalation?.rungs ?? [])
  console.log(
    `  ${target.model.padEnd(7)}score ${score?.toFixed(2)}  ${formatUsd(costNanoUsd).padEnd(11)}${reasons.join('; ')}`,
  );

console.log('\nin the ledger');
for (const { group, attempts, costNanoUsd } of await polyphony.stores.ledger.totals('model'))
  console.log(`  ${group.padEnd(12)} ${String(attempts).padStart(2)} answers  ${formatUsd(costNanoUsd)}`);

const large = await polyphony.gateway.generate({
  model: 'fake/large',
  messages: [{ role: 'user', content: '3 rows of 4' }],
});
const dearestOnly = (large.costNanoUsd ?? 0) * questions.length;
console.log(
  `\n${questions.length} answers, ${wrong} wrong: ${formatUsd(total)}; all by the dearest model: ${formatUsd(dearestOnly)}`,
);
await polyphony.close();
if (wrong > 0) throw new Error('every answer should be right in the end');
if (dearest?.escalation?.rungs.length !== 3) throw new Error('one answer should have climbed two rungs');
