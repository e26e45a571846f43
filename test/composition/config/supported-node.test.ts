import { expect, it, vi } from 'vitest';
import { createPolyphony } from '../../../src/polyphony.ts';

it('a program on a Node that is too old is told so before anything else can fail', async () => {
  const version = vi.spyOn(process, 'version', 'get').mockReturnValue('v18.20.8');
  try {
    await expect(createPolyphony()).rejects.toMatchObject({
      code: 'unsupported',
      message:
        'polyphony needs Node 20.19 or later, or 22.13 or later, and this is v18.20.8: install one from https://nodejs.org.',
    });
  } finally {
    version.mockRestore();
  }
});
