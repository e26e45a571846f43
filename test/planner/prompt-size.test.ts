import { estimateTokenCount } from 'tokenx';
import { describe, expect, it } from 'vitest';
import { planningMessages } from '../../src/planner/prompt.ts';
import { createPolyphony } from '../../src/polyphony.ts';

describe('the message to a planner', () => {
  it('stays short with every step and tool that is there by default, and names what each takes', async () => {
    const polyphony = await createPolyphony({ environment: false });
    const [system] = planningMessages('x', polyphony.catalogue());
    const content = String(system?.content);
    expect(estimateTokenCount(content)).toBeLessThan(2100);
    for (const step of polyphony.catalogue().steps.values()) {
      if (step.forPlanner === false) continue;
      expect(content).toContain(`"use":"${step.use}"`);
      if (step.use === 'llm') continue;
      for (const name of Object.keys((step.input as { properties?: object }).properties ?? {}))
        expect(content).toContain(`"${name}":"`);
    }
    await polyphony.close();
  });
});
