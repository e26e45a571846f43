/** One call through the gateway: the answer, the model that gave it, and its cost. */
import { readFileSync } from 'node:fs';
import { createPolyphony, formatUsd, textOf } from 'polyphony';

const polyphony = await createPolyphony();
const text = readFileSync('examples/material/harbour.md', 'utf8');

const response = await polyphony.gateway.generate({
  messages: [{ role: 'user', content: `Summarise the following text in two sentences.\n\n${text}` }],
});

console.log(textOf(response));
console.log(`— ${response.target.provider}/${response.target.model}, ${formatUsd(response.costNanoUsd)}`);
await polyphony.close();
