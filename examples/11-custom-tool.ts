/** A custom tool: a function with a schema, which plans use by name and models may call. */
import { createPolyphony, definePlugin, type Plan, type Tool } from 'polyphony';

const TIMES: Readonly<Record<string, readonly string[]>> = {
  island: ['09:00', '13:30', '18:15'],
  mainland: ['11:00', '16:00'],
};

const ferryTimes: Tool = {
  name: 'ferry_times',
  description: 'Departures of the ferry to a destination.',
  input: {
    type: 'object',
    properties: { destination: { enum: Object.keys(TIMES) } },
    required: ['destination'],
    additionalProperties: false,
  },
  output: {
    type: 'object',
    properties: { times: { type: 'array', items: { type: 'string' } } },
    required: ['times'],
    additionalProperties: false,
  },
  async run({ destination }) {
    return { times: TIMES[String(destination)] ?? [] };
  },
};

const ferry = definePlugin({ name: 'ferry', tools: [ferryTimes] });

const plan: Plan = {
  version: 1,
  goal: 'Say when the ferries leave',
  nodes: [
    { id: 'out', use: 'tool:ferry_times', in: { destination: 'island' } },
    { id: 'back', use: 'tool:ferry_times', in: { destination: 'mainland' } },
    {
      id: 'answer',
      use: 'value',
      in: { text: 'The first leaves at {{out.times[0]}}, the last comes back at {{back.times[1]}}.' },
    },
  ],
  output: '{{answer.text}}',
};

const polyphony = await createPolyphony({ plugins: [ferry] });
const result = await polyphony.run(plan);
if (result.status === 'done') console.log(result.output);

// The schema is the contract: a destination that it does not allow never reaches the tool.
const wrong = {
  ...plan,
  nodes: [{ id: 'out', use: 'tool:ferry_times', in: { destination: 'moon' } }],
  output: '{{out.times}}',
};
for (const { code, path, message } of (await polyphony.validate(wrong)).issues)
  console.log(`${code} at ${path}: ${message}`);
await polyphony.close();
