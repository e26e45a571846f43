/** The picture of a ready-made workflow, as `polyphony graph --open -f svg` draws it where every kind of model is there. */
import { CHAT_CAPABILITIES } from 'polyphony/kit';
import { fakeCard, fakeProvider } from 'polyphony/testing';
import { memberPlan } from '../src/core/plan/plan-workflows.ts';
import { draw, type OpenedWorkflow } from '../src/drawing/index.ts';
import { createPolyphony, type Plan, type Polyphony, type Provider } from '../src/index.ts';

/** Models of all tiers that see and hear, and one that makes pictures; none of them answers. */
function everyModel(): Provider {
  const capabilities = [...CHAT_CAPABILITIES, 'image-in', 'audio-in', 'file-in'] as const;
  const chat = (['fast', 'balanced', 'premium'] as const).map((tier) => fakeCard({ id: tier, tier, capabilities }));
  const picture = fakeCard({
    id: 'picture',
    aliases: ['stable-diffusion-3'],
    operations: ['image'],
    capabilities: ['image-out'],
    price: { input: 0, output: 0, image: 0.05 },
  });
  return fakeProvider({ models: [...chat, picture], script: () => [] });
}

/** Where every ready-made workflow is valid. The caller closes it. */
export const openPool = (): Promise<Polyphony> => createPolyphony({ providers: [everyModel()] });

/** @throws Error for a plan that is not valid there */
export async function pictureOf(polyphony: Polyphony, plan: Plan): Promise<string> {
  const drawn = await validOf(polyphony, plan);
  const opened: OpenedWorkflow[] = [];
  for (const name of Object.keys(drawn.plan.workflows ?? {})) {
    const inner = memberPlan(drawn.plan, name);
    if (inner !== undefined) opened.push({ name, plan: await validOf(polyphony, inner) });
  }
  const picture = draw(drawn, 'svg', undefined, undefined, opened);
  return picture.endsWith('\n') ? picture : `${picture}\n`;
}

async function validOf(polyphony: Polyphony, plan: Plan) {
  const { plan: valid, issues } = await polyphony.validate(plan);
  if (valid === undefined) throw new Error(`${plan.id ?? 'A plan'} is not valid: ${JSON.stringify(issues)}`);
  return valid;
}
