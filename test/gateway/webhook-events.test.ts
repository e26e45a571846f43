/** What webhooks are told must be an event that there is. */
import { describe, expect, it } from 'vitest';
import { createPolyphony } from '../../src/polyphony.ts';
import { fakeProvider } from '../../src/testing/fakes.ts';

const withEvents = (events: readonly string[]) =>
  createPolyphony({
    providers: [fakeProvider({})],
    config: { webhooks: [{ url: 'https://alerts.example', events }] },
  });

describe('the events of webhooks', () => {
  it('are refused with the field, the value and the types where one does not exist', async () => {
    await expect(withEvents(['budget-alert', 'budget-alerts'])).rejects.toMatchObject({
      code: 'invalid-config',
      message: expect.stringMatching(/webhooks\[0\]\.events\[1\] is "budget-alerts": give one of .*budget-alert/),
    });
    await (await withEvents(['budget-alert', 'outage', 'route-left'])).close();
  });
});
