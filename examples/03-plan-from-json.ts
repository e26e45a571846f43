/** A plan is JSON: validate it, estimate its cost, run it. An issue contains the path and the nearest valid name. */
import { readFileSync } from 'node:fs';
import { createPolyphony, formatUsd, type Plan } from 'polyphony';

const polyphony = await createPolyphony();
const plan = JSON.parse(readFileSync('examples/plans/summarise.plan.json', 'utf8')) as Plan;

const broken = {
  ...plan,
  nodes: plan.nodes.map((node) => ({ ...node, use: node.use.replace('read_file', 'read_fiel') })),
};
for (const issue of (await polyphony.validate(broken, { repair: false })).issues) {
  console.log(`${issue.code} at ${issue.path}: did you mean ${issue.suggest?.[0]}?`);
}

const { plan: valid } = await polyphony.validate(plan);
console.log(`expected to cost ${formatUsd(valid?.estimate.expectedNanoUsd ?? null)}`);
const result = await polyphony.run(plan, { path: 'examples/material/rules.md' });
// A plan may ask a person: a run that waits for the answer is suspended, and has no output yet.
if (result.status === 'done') console.log(result.output);
await polyphony.close();
