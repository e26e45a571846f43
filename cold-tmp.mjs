import { createPolyphony } from 'polyphony';
import embedded from 'polyphony/plugins/providers/embedded';
const polyphony = await createPolyphony({ plugins: [embedded], defaults: false });
const response = await polyphony.gateway.generate({ messages: [{ role: 'user', content:
  'Summarise the following text in one sentence.\n\nA cold process answers. It has loaded what it needs and no more.' }] });
if (response.content.length === 0) throw new Error('an empty answer');
await polyphony.close();
