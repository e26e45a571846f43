/** Scores of evaluators correct what is known of the models that wrote the answers. */
import type { Attempt } from 'polyphony';
import { fakeCard, fakeProvider } from 'polyphony/testing';
import { expect, it } from 'vitest';
import { escalation } from '../../../plugins/escalation/escalation.ts';
import { validators } from '../../../plugins/escalation/validators.ts';
import { createPolyphony } from '../../../src/polyphony.ts';

const models = [
  fakeCard({ id: 'small', tier: 'fast', price: { input: 1, output: 1 }, strengths: { general: 0.8, code: 0.8 } }),
  fakeCard({ id: 'large', tier: 'premium', price: { input: 10, output: 10 }, strengths: { general: 0.8, code: 0.8 } }),
];
const answers = ({ target }: Attempt): string => (target.model === 'small' ? '3 * 4 = 13 pens.' : '3 * 4 = 12 pens.');

it.each([true, false])(
  'an escalated answer lowers the figure of the field that was asked for, streamed: %s',
  async (streams) => {
    const provider = fakeProvider({ id: 'p', models, script: answers });
    const plugins = [{ name: 'p', providers: [provider] }, validators(), escalation()];
    const { gateway, close } = await createPolyphony({ plugins, defaults: false });
    const request = {
      prompt: 'Tom has 3 boxes of 4 pens. How many pens?',
      model: { id: 'small', strengths: ['code'] },
      escalate: { evaluator: 'validators', to: ['premium'] },
    } as const;
    if (streams) for await (const _event of gateway.stream(request));
    else await gateway.generate(request);
    const figure = (id: string) =>
      gateway.explain({
        operation: 'chat',
        messages: [{ role: 'user', content: 'x' }],
        model: { id, strengths: ['code'] },
      }).candidates[0]?.figures?.[0];
    expect(figure('small')).toMatchObject({ of: 'code', prior: 0.8, priorWeight: 20 });
    expect(figure('small')?.observations).toBeCloseTo(1);
    expect(figure('small')?.used).toBeLessThan(0.8);
    expect(figure('large')?.used).toBeGreaterThan(figure('small')?.used ?? 1);
    await close();
  },
);
